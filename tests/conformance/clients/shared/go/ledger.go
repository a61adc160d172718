package main

import (
	"fmt"
	"sort"
	"sync"
)

type copyOf struct {
	partition int32
	offset    int64
}

// Ledger accounts for records. Each has a number of its own, 0 and up in the order of sending; the
// order of a partition's records is that of their numbers.
type Ledger struct {
	mutex        sync.Mutex
	acknowledged map[int]copyOf
	read         map[int][]copyOf
	readOrder    map[int32][]copyOf
	numberAt     map[copyOf]int
}

// NewLedger is an empty account.
func NewLedger() *Ledger {
	return &Ledger{
		acknowledged: map[int]copyOf{},
		read:         map[int][]copyOf{},
		readOrder:    map[int32][]copyOf{},
		numberAt:     map[copyOf]int{},
	}
}

// Acknowledged notes where the cluster said that a record is; an unknown offset is -1.
func (l *Ledger) Acknowledged(number int, partition int32, offset int64) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.acknowledged[number] = copyOf{partition, offset}
}

// Read notes a record that a consumer was given.
func (l *Ledger) Read(number int, partition int32, offset int64) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	place := copyOf{partition, offset}
	l.read[number] = append(l.read[number], place)
	l.readOrder[partition] = append(l.readOrder[partition], place)
	l.numberAt[place] = number
}

// Missing says how many acknowledged records were not read yet.
func (l *Ledger) Missing() int {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	missing := 0
	for number := range l.acknowledged {
		if len(l.read[number]) == 0 {
			missing++
		}
	}
	return missing
}

// Count says how many different records were read.
func (l *Ledger) Count() int {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return len(l.read)
}

// Duplicates says how often a record was read again.
func (l *Ledger) Duplicates() int {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	again := 0
	for _, places := range l.read {
		again += len(places) - 1
	}
	return again
}

// Partitions says in how many partitions records were read.
func (l *Ledger) Partitions() int {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return len(l.readOrder)
}

// Check compares: everything acknowledged was read, where the cluster had said it is. once: nothing
// was read twice, nothing is in the log twice, and each partition was read in its order, in which
// records have the order of their sending.
func (l *Ledger) Check(once bool) error {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for number, told := range l.acknowledged {
		places := l.read[number]
		if len(places) == 0 {
			return fmt.Errorf("record %d was acknowledged at %v and never read", number, told)
		}
		if told.offset >= 0 && l.numberAt[told] != number {
			return fmt.Errorf("record %d was acknowledged at %v and read at %v", number, told, places)
		}
		if once && len(places) > 1 {
			return fmt.Errorf("record %d was read more than once: %v", number, places)
		}
	}
	if !once {
		return nil
	}
	for partition, places := range l.readOrder {
		if !sort.SliceIsSorted(places, func(a, b int) bool { return places[a].offset < places[b].offset }) {
			return fmt.Errorf("partition %d was not read in the order of its offsets", partition)
		}
		for i := 1; i < len(places); i++ {
			if before, after := l.numberAt[places[i-1]], l.numberAt[places[i]]; before >= after {
				return fmt.Errorf("partition %d holds record %d before %d", partition, before, after)
			}
		}
	}
	return nil
}
