package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// member is a consumer of a group that commits what it has read before it gives partitions away.
type member struct {
	client *kgo.Client
	cancel context.CancelFunc
	done   sync.WaitGroup
	failed chan error

	mutex    sync.Mutex
	assigned map[int32]bool
}

func join(ctx context.Context, env *Env, ledger *Ledger, topic, group string, options ...kgo.Opt) (*member, error) {
	m := &member{failed: make(chan error, 1), assigned: map[int32]bool{}}
	note := func(held bool) func(context.Context, *kgo.Client, map[string][]int32) {
		return func(ctx context.Context, client *kgo.Client, partitions map[string][]int32) {
			if !held {
				if err := client.CommitUncommittedOffsets(ctx); err != nil {
					select {
					case m.failed <- fmt.Errorf("commit before partitions go: %w", err):
					default:
					}
				}
			}
			m.mutex.Lock()
			defer m.mutex.Unlock()
			for _, partition := range partitions[topic] {
				if held {
					m.assigned[partition] = true
				} else {
					delete(m.assigned, partition)
				}
			}
		}
	}
	options = append(append(fromStart(topic), kgo.ConsumerGroup(group), kgo.DisableAutoCommit(), kgo.BlockRebalanceOnPoll(),
		kgo.OnPartitionsAssigned(note(true)), kgo.OnPartitionsRevoked(note(false))), options...)
	client, err := newClient(env, options...)
	if err != nil {
		return nil, err
	}
	m.client = client
	running, cancel := context.WithCancel(ctx)
	m.cancel = cancel
	m.done.Add(1)
	go func() {
		defer m.done.Done()
		for running.Err() == nil {
			err := poll(running, client, ledger, nil)
			client.AllowRebalance()
			if err != nil && running.Err() == nil {
				select {
				case m.failed <- err:
				default:
				}
				return
			}
		}
	}()
	return m, nil
}

func (m *member) count() int {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	return len(m.assigned)
}

// leave stops reading, commits and leaves the group.
func (m *member) leave() {
	m.cancel()
	m.done.Wait()
	m.client.CloseAllowingRebalance()
}

func (m *member) error() error {
	select {
	case err := <-m.failed:
		return err
	default:
		return nil
	}
}

func holds(first *member, firstCount int, second *member, secondCount int) func() error {
	return func() error {
		if first.count() != firstCount || (second != nil && second.count() != secondCount) {
			other := 0
			if second != nil {
				other = second.count()
			}
			return fmt.Errorf("the members hold %d and %d partitions", first.count(), other)
		}
		return nil
	}
}

// sharedByTwo is the scenario of a second member that comes and goes while records are written.
func sharedByTwo(ctx context.Context, env *Env, while func(group string) error, options ...kgo.Opt) (*Ledger, error) {
	topic, err := create(ctx, env, "t", 6)
	if err != nil {
		return nil, err
	}
	group, ledger := env.Name("g"), NewLedger()
	first, err := join(ctx, env, ledger, topic, group, options...)
	if err != nil {
		return nil, err
	}
	defer first.leave()
	writer, err := newClient(env, kgo.RecordPartitioner(kgo.RoundRobinPartitioner()))
	if err != nil {
		return nil, err
	}
	defer writer.Close()
	writing, stop := context.WithCancel(ctx)
	defer stop()
	written := make(chan error, 1)
	go func() {
		for number := 0; ; number += 6 {
			if err := produce(ctx, writer, ledger, topic, number, number+6); err != nil || writing.Err() != nil {
				written <- err
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	if err := Wait(ctx, 15*time.Second, holds(first, 6, nil, 0)); err != nil {
		return nil, err
	}
	second, err := join(ctx, env, ledger, topic, group, options...)
	if err != nil {
		return nil, err
	}
	if err := Wait(ctx, 15*time.Second, holds(first, 3, second, 3)); err != nil {
		second.leave()
		return nil, err
	}
	if err := while(group); err != nil {
		second.leave()
		return nil, err
	}
	second.leave()
	if err := Wait(ctx, 15*time.Second, holds(first, 6, nil, 0)); err != nil {
		return nil, err
	}
	stop()
	if err := <-written; err != nil {
		return nil, err
	}
	if err := Wait(ctx, 10*time.Second, func() error {
		if missing := ledger.Missing(); missing > 0 {
			return fmt.Errorf("%d acknowledged records were not read", missing)
		}
		return nil
	}); err != nil {
		return nil, err
	}
	for _, m := range []*member{first, second} {
		if err := m.error(); err != nil {
			return nil, err
		}
	}
	return ledger, ledger.Check(true)
}

func rebalance(ctx context.Context, env *Env) (string, Numbers, error) {
	ledger, err := sharedByTwo(ctx, env, func(string) error { return nil })
	if err != nil {
		return "", nil, err
	}
	return "6 partitions, 3 and 3, 6 again; each record once", Numbers{"messages": ledger.Count(), "duplicates": ledger.Duplicates()}, nil
}

// groupProtocol does the same with the protocol named, and has the group described by the API of
// this protocol.
func groupProtocol(consumer bool) Scenario {
	return func(ctx context.Context, env *Env) (string, Numbers, error) {
		client, err := newClient(env)
		if err != nil {
			return "", nil, err
		}
		defer client.Close()
		admin := kadm.NewClient(client)
		options := []kgo.Opt{kgo.Balancers(kgo.StickyBalancer())}
		if consumer {
			options = append(options, kgo.ServerSideBalancer())
		}
		text := ""
		ledger, err := sharedByTwo(ctx, env, func(group string) error {
			if consumer {
				groups, err := admin.DescribeConsumerGroups(ctx, group)
				if err != nil {
					return err
				}
				described := groups[group]
				if described.Err != nil || described.State != "Stable" || len(described.Members) != 2 {
					return fmt.Errorf("described as %+v", described)
				}
				text = "consumer protocol, assignor " + described.AssignorName
				return nil
			}
			groups, err := admin.DescribeGroups(ctx, group)
			if err != nil {
				return err
			}
			described := groups[group]
			if described.Err != nil || described.State != "Stable" || described.ProtocolType != "consumer" || len(described.Members) != 2 {
				return fmt.Errorf("described as %+v", described)
			}
			text = "classic protocol, assignor " + described.Protocol
			return nil
		}, options...)
		if err != nil {
			return "", nil, err
		}
		return text, Numbers{"messages": ledger.Count()}, nil
	}
}

func commitAndResume(ctx context.Context, env *Env) (string, Numbers, error) {
	topic, err := create(ctx, env, "t", 3)
	if err != nil {
		return "", nil, err
	}
	client, err := newClient(env, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		return "", nil, err
	}
	defer client.Close()
	ledger := NewLedger()
	if err := produce(ctx, client, ledger, topic, 0, 1000); err != nil {
		return "", nil, err
	}
	options := append(fromStart(topic), kgo.ConsumerGroup(env.Name("g")), kgo.DisableAutoCommit())
	first, err := newClient(env, options...)
	if err != nil {
		return "", nil, err
	}
	fetches := first.PollRecords(ctx, 400)
	if err := fetches.Err(); err != nil {
		return "", nil, err
	}
	for _, record := range fetches.Records() {
		number, err := numberOf(record)
		if err != nil {
			return "", nil, err
		}
		ledger.Read(number, record.Partition, record.Offset)
	}
	committed := ledger.Count()
	if err := first.CommitRecords(ctx, fetches.Records()...); err != nil {
		return "", nil, err
	}
	told := int64(0)
	offsets, err := kadm.NewClient(client).FetchOffsets(ctx, env.Name("g"))
	if err != nil {
		return "", nil, err
	}
	offsets.Each(func(offset kadm.OffsetResponse) { told += max(offset.At, 0) })
	if told != int64(committed) {
		return "", nil, fmt.Errorf("%d records committed, the group's offsets are %v", committed, offsets)
	}
	first.PollRecords(ctx, 50) // read and not committed: these come again
	first.Close()
	second, err := newClient(env, options...)
	if err != nil {
		return "", nil, err
	}
	defer second.Close()
	if err := readAll(ctx, second, ledger, nil); err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("%d committed by the first consumer, the rest read by the second", committed),
		Numbers{"messages": ledger.Count()}, ledger.Check(true)
}
