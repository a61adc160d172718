package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// metadataMinAge is how soon the client asks for a new leader again; its default of 5 s, and not the
// cluster, would decide how long the gap is.
const metadataMinAge = 100 * time.Millisecond

func leaderKilled(ctx context.Context, env *Env) (string, Numbers, error) {
	topic, err := create(ctx, env, "t", 1, "min.insync.replicas=2")
	if err != nil {
		return "", nil, err
	}
	client, err := newClient(env, kgo.ProducerLinger(0), kgo.MetadataMinAge(metadataMinAge))
	if err != nil {
		return "", nil, err
	}
	defer client.Close()
	var gaps Gaps
	var waiting sync.WaitGroup
	ledger, refused := NewLedger(), make(chan error, 1)
	killed := make(chan error, 1)
	time.AfterFunc(2*time.Second, func() { killed <- env.Ask("kill-leader", topic, 0) })
	number := 0
	for end := time.Now().Add(6 * time.Second); time.Now().Before(end); number++ {
		record := numbered(topic, number)
		waiting.Add(1)
		client.Produce(ctx, record, func(record *kgo.Record, err error) {
			number, _ := numberOf(record)
			defer waiting.Done()
			if err != nil {
				select {
				case refused <- err:
				default:
				}
				return
			}
			gaps.Mark()
			ledger.Acknowledged(number, record.Partition, record.Offset)
		})
		time.Sleep(5 * time.Millisecond)
	}
	waiting.Wait()
	if err := <-killed; err != nil {
		return "", nil, err
	}
	numbers := Numbers{"longest_gap_ms": gaps.LongestMs()}
	select {
	case err := <-refused:
		return "", numbers, fmt.Errorf("a record was refused: %w", err)
	default:
	}
	if err := env.Ask("restart"); err != nil {
		return "", numbers, err
	}
	if err := produce(ctx, client, ledger, topic, number, number+100); err != nil {
		return "", numbers, err
	}
	if err := readBack(ctx, env, ledger, topic, nil); err != nil {
		return "", numbers, err
	}
	numbers["messages"] = ledger.Count()
	return fmt.Sprintf("all acknowledged, all read, once and in order; metadata may be %v old", metadataMinAge), numbers, ledger.Check(true)
}

// topicRecreated follows the client's README: a topic that was made again is purged and added again.
func topicRecreated(ctx context.Context, env *Env) (string, Numbers, error) {
	topic, err := create(ctx, env, "t", 3)
	if err != nil {
		return "", nil, err
	}
	client, err := newClient(env, append(fromStart(topic), kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
	if err != nil {
		return "", nil, err
	}
	defer client.Close()
	before, after := NewLedger(), NewLedger()
	if err := produce(ctx, client, before, topic, 0, 300); err != nil {
		return "", nil, err
	}
	if err := readAll(ctx, client, before, nil); err != nil {
		return "", nil, err
	}
	if err := before.Check(true); err != nil {
		return "", nil, err
	}
	admin := kadm.NewClient(client)
	if _, err := admin.DeleteTopic(ctx, topic); err != nil {
		return "", nil, err
	}
	if _, err := create(ctx, env, "t", 3); err != nil {
		return "", nil, err
	}
	client.PurgeTopicsFromClient(topic)
	client.AddConsumeTopics(topic)
	if err := produce(ctx, client, after, topic, 300, 450); err != nil {
		return "", nil, err
	}
	if err := readAll(ctx, client, after, nil); err != nil {
		return "", nil, err
	}
	return "the same client writes and reads the new topic from offset 0",
		Numbers{"messages": before.Count() + after.Count()}, after.Check(true)
}
