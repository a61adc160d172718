package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
)

// member reads the partitions that its group gives it; it commits before it gives them away.
type member struct {
	group  *kafka.ConsumerGroup
	cancel context.CancelFunc
	done   sync.WaitGroup

	mutex  sync.Mutex
	held   map[int]bool
	failed error
}

func join(ctx context.Context, env *Env, ledger *Ledger, topic, id string) (*member, error) {
	group, err := kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{
		ID: id, Brokers: env.Bootstrap, Topics: []string{topic}, StartOffset: kafka.FirstOffset,
		HeartbeatInterval: 500 * time.Millisecond, JoinGroupBackoff: 200 * time.Millisecond,
	})
	if err != nil {
		return nil, err
	}
	running, cancel := context.WithCancel(ctx)
	m := &member{group: group, cancel: cancel, held: map[int]bool{}}
	m.done.Go(func() {
		for {
			generation, err := group.Next(running)
			if err != nil {
				if running.Err() == nil && !errors.Is(err, kafka.ErrGroupClosed) {
					m.fail(err)
				}
				return
			}
			for _, assigned := range generation.Assignments[topic] {
				generation.Start(func(ctx context.Context) {
					if err := m.read(ctx, env, ledger, topic, generation, assigned); err != nil {
						m.fail(err)
					}
				})
			}
		}
	})
	return m, nil
}

// read goes on until the generation ends. Only then it commits: the group waits for it.
func (m *member) read(ctx context.Context, env *Env, ledger *Ledger, topic string, generation *kafka.Generation, assigned kafka.PartitionAssignment) error {
	m.hold(assigned.ID, true)
	defer m.hold(assigned.ID, false)
	reader := kafka.NewReader(kafka.ReaderConfig{
		Brokers: env.Bootstrap, Topic: topic, Partition: assigned.ID, MaxWait: 200 * time.Millisecond,
	})
	defer reader.Close()
	if err := reader.SetOffset(assigned.Offset); err != nil {
		return err
	}
	next, note := int64(-1), into(ledger)
	for {
		message, err := reader.ReadMessage(ctx)
		if err != nil {
			if ctx.Err() == nil && !errors.Is(err, kafka.ErrGenerationEnded) {
				return err
			}
			break
		}
		if err := note(message); err != nil {
			return err
		}
		next = message.Offset + 1
	}
	if next < 0 {
		return nil
	}
	return generation.CommitOffsets(map[string]map[int]int64{topic: {assigned.ID: next}})
}

func (m *member) hold(partition int, held bool) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if held {
		m.held[partition] = true
	} else {
		delete(m.held, partition)
	}
}

func (m *member) fail(err error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if m.failed == nil {
		m.failed = err
	}
}

func (m *member) failure() error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	return m.failed
}

func (m *member) count() int {
	if m == nil {
		return 0
	}
	m.mutex.Lock()
	defer m.mutex.Unlock()
	return len(m.held)
}

func (m *member) leave() error {
	err := m.group.Close()
	m.cancel()
	m.done.Wait()
	return err
}

func holds(first *member, firstCount int, second *member, secondCount int) func() error {
	return func() error {
		for _, m := range []*member{first, second} {
			if m == nil {
				continue
			}
			if err := m.failure(); err != nil {
				return err
			}
		}
		if first.count() != firstCount || second.count() != secondCount {
			return fmt.Errorf("the members hold %d and %d partitions", first.count(), second.count())
		}
		return nil
	}
}

// sharedByTwo is a second member that comes and goes while records are written.
func sharedByTwo(ctx context.Context, env *Env, while func(group string) error) (*Ledger, error) {
	topic, err := create(ctx, env, "t", 6)
	if err != nil {
		return nil, err
	}
	group, ledger, writer := env.Name("g"), NewLedger(), newWriter(env, topic, byNumber)
	acknowledge(writer, ledger)
	writing, stop := context.WithCancel(ctx)
	defer stop()
	written := make(chan error, 1)
	go func() {
		for number := 0; ; number += 6 {
			if err := produce(ctx, writer, number, number+6); err != nil || writing.Err() != nil {
				written <- err
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	}()
	first, err := join(ctx, env, ledger, topic, group)
	if err != nil {
		return nil, err
	}
	if err := Wait(ctx, 20*time.Second, holds(first, 6, nil, 0)); err != nil {
		return nil, err
	}
	second, err := join(ctx, env, ledger, topic, group)
	if err != nil {
		return nil, err
	}
	if err := Wait(ctx, 20*time.Second, holds(first, 3, second, 3)); err != nil {
		return nil, err
	}
	if err := while(group); err != nil {
		return nil, err
	}
	if err := second.leave(); err != nil {
		return nil, err
	}
	if err := Wait(ctx, 20*time.Second, holds(first, 6, second, 0)); err != nil {
		return nil, err
	}
	stop()
	if err := <-written; err != nil {
		return nil, err
	}
	if err := Wait(ctx, 20*time.Second, allRead(ledger)); err != nil {
		return nil, err
	}
	time.Sleep(time.Second)
	if err := first.leave(); err != nil {
		return nil, err
	}
	return ledger, ledger.Check(true)
}

func rebalance(ctx context.Context, env *Env) (string, Numbers, error) {
	ledger, err := sharedByTwo(ctx, env, func(string) error { return nil })
	if err != nil {
		return "", nil, err
	}
	return "partitions 6, then 3 and 3, then 6; each record once",
		Numbers{"messages": ledger.Count(), "duplicates": ledger.Duplicates()}, nil
}

func groupProtocolClassic(ctx context.Context, env *Env) (string, Numbers, error) {
	ledger, err := sharedByTwo(ctx, env, func(group string) error {
		response, err := newClient(env).DescribeGroups(ctx, &kafka.DescribeGroupsRequest{GroupIDs: []string{group}})
		if err != nil {
			return err
		}
		described := response.Groups[0]
		if described.Error != nil || described.GroupState != "Stable" || len(described.Members) != 2 {
			return fmt.Errorf("described as %+v", described)
		}
		return nil
	})
	if err != nil {
		return "", nil, err
	}
	return "classic protocol, assignor range", Numbers{"messages": ledger.Count()}, nil
}

func commitAndResume(ctx context.Context, env *Env) (string, Numbers, error) {
	topic, err := create(ctx, env, "t", 3)
	if err != nil {
		return "", nil, err
	}
	ledger, writer := NewLedger(), newWriter(env, topic, byNumber)
	acknowledge(writer, ledger)
	if err := produce(ctx, writer, 0, 1000); err != nil {
		return "", nil, err
	}
	config := kafka.ReaderConfig{
		Brokers: env.Bootstrap, GroupID: env.Name("g"), Topic: topic, StartOffset: kafka.FirstOffset, MaxWait: 200 * time.Millisecond,
		JoinGroupBackoff: 200 * time.Millisecond,
	}
	first, note := kafka.NewReader(config), into(ledger)
	var last []kafka.Message
	for range 400 {
		message, err := first.FetchMessage(ctx)
		if err != nil {
			return "", nil, err
		}
		if err := note(message); err != nil {
			return "", nil, err
		}
		last = append(last, message)
	}
	if err := first.CommitMessages(ctx, last...); err != nil {
		return "", nil, err
	}
	told := int64(0)
	response, err := newClient(env).OffsetFetch(ctx, &kafka.OffsetFetchRequest{
		GroupID: env.Name("g"), Topics: map[string][]int{topic: {0, 1, 2}},
	})
	if err != nil {
		return "", nil, err
	}
	for _, partition := range response.Topics[topic] {
		told += max(partition.CommittedOffset, 0)
	}
	if told != 400 {
		return "", nil, fmt.Errorf("400 records committed, the group's offsets are %+v", response.Topics)
	}
	if err := first.Close(); err != nil {
		return "", nil, err
	}
	second := kafka.NewReader(config)
	for ledger.Missing() > 0 {
		message, err := second.ReadMessage(ctx)
		if err != nil {
			return "", nil, fmt.Errorf("%d records were not read: %w", ledger.Missing(), err)
		}
		if err := note(message); err != nil {
			return "", nil, err
		}
	}
	late, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if message, err := second.ReadMessage(late); err == nil {
		return "", nil, fmt.Errorf("one more record: %+v", message)
	}
	if err := second.Close(); err != nil {
		return "", nil, err
	}
	return "400 committed by the first member, the rest read by the second", Numbers{"messages": ledger.Count()}, ledger.Check(true)
}
