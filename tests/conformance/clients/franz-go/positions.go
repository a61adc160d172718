package main

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

func seekPauseOffsetsForTimes(ctx context.Context, env *Env) (string, Numbers, error) {
	topic, err := create(ctx, env, "t", 2)
	if err != nil {
		return "", nil, err
	}
	const startMs, perPartition = int64(1_700_000_000_000), 100
	client, err := newClient(env, append(fromStart(topic), kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
	if err != nil {
		return "", nil, err
	}
	defer client.Close()
	var records []*kgo.Record
	for number := range 2 * perPartition { // partition 0: 0, 2, 4 …; a record every second
		record := numbered(topic, number)
		record.Partition, record.Timestamp = int32(number%2), time.UnixMilli(startMs+int64(number/2)*1000)
		records = append(records, record)
	}
	if err := client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		return "", nil, err
	}

	admin := kadm.NewClient(client)
	for ms, want := range map[int64]int64{startMs - 5: 0, startMs + 40_000: 40, startMs + 40_001: 41, startMs + 1_000_000: perPartition} {
		listed, err := admin.ListOffsetsAfterMilli(ctx, ms, topic)
		if err != nil {
			return "", nil, err
		}
		for partition := range int32(2) {
			// kadm answers with the end where no record is that late.
			if at, _ := listed.Lookup(topic, partition); at.Err != nil || at.Offset != want {
				return "", nil, fmt.Errorf("offset for time %d of partition %d is %+v, not %d", ms, partition, at, want)
			}
		}
	}

	all := NewLedger()
	for all.Count() < 2*perPartition {
		if err := poll(ctx, client, all, nil); err != nil {
			return "", nil, err
		}
	}
	if err := all.Check(true); err != nil {
		return "", nil, err
	}

	client.PauseFetchPartitions(map[string][]int32{topic: {1}})
	client.SetOffsets(map[string]map[int32]kgo.EpochOffset{topic: {0: {Epoch: -1, Offset: 40}, 1: {Epoch: -1, Offset: 90}}})
	got := map[int32][]int64{}
	note := func(record *kgo.Record) error {
		got[record.Partition] = append(got[record.Partition], record.Offset)
		return nil
	}
	scratch := NewLedger()
	for pausedUntil := time.Now().Add(time.Second); time.Now().Before(pausedUntil) || len(got[0]) < 60; {
		if err := poll(ctx, client, scratch, note); err != nil {
			return "", nil, err
		}
	}
	if len(got[0]) != 60 || got[0][0] != 40 || len(got[1]) != 0 {
		return "", nil, fmt.Errorf("after a seek to 40, and with partition 1 paused: %v", got)
	}
	client.ResumeFetchPartitions(map[string][]int32{topic: {1}})
	for len(got[1]) < 10 {
		if err := poll(ctx, client, scratch, note); err != nil {
			return "", nil, err
		}
	}
	if got[1][0] != 90 || len(got[1]) != 10 || len(got[0]) != 60 {
		return "", nil, fmt.Errorf("after partition 1 was resumed at 90: %v", got)
	}
	return "offsets for times exact; a paused partition is silent", Numbers{"messages": all.Count()}, scratch.Check(true)
}
