package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"reflect"
	"sync/atomic"
	"time"

	"github.com/segmentio/kafka-go"
)

func compression(codec kafka.Compression) Scenario {
	return func(ctx context.Context, env *Env) (string, Numbers, error) {
		topic, err := create(ctx, env, "t", 3)
		if err != nil {
			return "", nil, err
		}
		ledger, writer := NewLedger(), newWriter(env, topic, byNumber)
		writer.Compression = codec
		acknowledge(writer, ledger)
		if err := produce(ctx, writer, 0, 1000); err != nil {
			return "", nil, err
		}
		if err := readBack(ctx, env, ledger, topic, 3, nil); err != nil {
			return "", nil, err
		}
		return "all read", Numbers{"messages": ledger.Count()}, ledger.Check(true)
	}
}

func keyed(ctx context.Context, env *Env) (string, Numbers, error) {
	topic, err := create(ctx, env, "t", 3)
	if err != nil {
		return "", nil, err
	}
	ledger, writer := NewLedger(), newWriter(env, topic, &kafka.Hash{})
	acknowledge(writer, ledger)
	var messages []kafka.Message
	for number := range 1000 {
		message := numbered(number)
		message.Key = fmt.Appendf(nil, "key-%d", number%100)
		messages = append(messages, message)
	}
	if err := writer.WriteMessages(ctx, messages...); err != nil {
		return "", nil, err
	}
	home := map[string]int{}
	err = readBack(ctx, env, ledger, topic, 3, func(message kafka.Message) error {
		number, _ := numberOf(message)
		if key := fmt.Sprintf("key-%d", number%100); key != string(message.Key) {
			return fmt.Errorf("record %d came back with key %q", number, message.Key)
		}
		before, known := home[string(message.Key)]
		if known && before != message.Partition {
			return fmt.Errorf("%s is in partitions %d and %d", message.Key, before, message.Partition)
		}
		home[string(message.Key)] = message.Partition
		return nil
	})
	if err != nil {
		return "", nil, err
	}
	if len(home) != 100 || ledger.Count() != 1000 || ledger.Partitions() < 2 {
		return "", nil, fmt.Errorf("%d keys, %d records in %d partitions", len(home), ledger.Count(), ledger.Partitions())
	}
	return "100 keys, each in one partition", Numbers{"messages": ledger.Count()}, ledger.Check(true)
}

func roundRobin(ctx context.Context, env *Env) (string, Numbers, error) {
	topic, err := create(ctx, env, "t", 3)
	if err != nil {
		return "", nil, err
	}
	ledger, writer := NewLedger(), newWriter(env, topic, &kafka.RoundRobin{})
	acknowledge(writer, ledger)
	if err := produce(ctx, writer, 0, 300); err != nil {
		return "", nil, err
	}
	counts := map[int]int{}
	err = readBack(ctx, env, ledger, topic, 3, func(message kafka.Message) error {
		counts[message.Partition]++
		return nil
	})
	if err != nil {
		return "", nil, err
	}
	if !reflect.DeepEqual(counts, map[int]int{0: 100, 1: 100, 2: 100}) {
		return "", nil, fmt.Errorf("records by partition: %v", counts)
	}
	return "100 records in each partition", Numbers{"messages": ledger.Count()}, ledger.Check(true)
}

// collect reads count records of partition 0, and a second longer for what is too much.
func collect(ctx context.Context, env *Env, topic string, count int) ([]kafka.Message, error) {
	var got []kafka.Message
	var length atomic.Int64
	r := readPartitions(ctx, env, topic, 1, func(message kafka.Message) error {
		got = append(got, message)
		length.Add(1)
		return nil
	})
	err := r.wait(ctx, 40*time.Second, func() error {
		if length.Load() < int64(count) {
			return fmt.Errorf("%d of %d records", length.Load(), count)
		}
		return nil
	})
	time.Sleep(time.Second)
	r.close()
	if err == nil && len(got) != count {
		err = fmt.Errorf("%d records instead of %d", len(got), count)
	}
	return got, err
}

func headers(ctx context.Context, env *Env) (string, Numbers, error) {
	topic, err := create(ctx, env, "t", 1)
	if err != nil {
		return "", nil, err
	}
	stamp := time.UnixMilli(1_700_000_000_123)
	sent := []kafka.Message{
		{Key: []byte("k"), Value: []byte("several"), Headers: []kafka.Header{
			{Key: "a", Value: []byte("1")}, {Key: "имя", Value: []byte{0, 0xff, 0x80}}, {Key: "a", Value: []byte("2")},
			{Key: "empty", Value: []byte{}}, {Key: "null", Value: nil},
		}},
		{Key: []byte("k"), Value: []byte("none")},
		{Key: nil, Value: []byte("no key")},
		{Key: []byte("k"), Value: nil, Headers: []kafka.Header{{Key: "why", Value: []byte("a tombstone keeps its headers")}}},
	}
	writer := newWriter(env, topic, byNumber)
	for _, message := range sent {
		message.Time = stamp
		if err := writer.WriteMessages(ctx, message); err != nil {
			return "", nil, err
		}
	}
	got, err := collect(ctx, env, topic, len(sent))
	if err != nil {
		return "", nil, err
	}
	for i, message := range got {
		// The client's reader gives empty bytes for null ones.
		same := bytes.Equal(message.Key, sent[i].Key) && bytes.Equal(message.Value, sent[i].Value) &&
			len(message.Headers) == len(sent[i].Headers) && message.Time.Equal(stamp) && message.Offset == int64(i)
		for j := range message.Headers {
			same = same && message.Headers[j].Key == sent[i].Headers[j].Key &&
				bytes.Equal(message.Headers[j].Value, sent[i].Headers[j].Value)
		}
		if !same {
			return "", nil, fmt.Errorf("sent %+v, read %+v", sent[i], message)
		}
	}
	return "order and repeats kept", Numbers{"messages": len(got)}, nil
}

func largeMessages(ctx context.Context, env *Env) (string, Numbers, error) {
	topic, err := create(ctx, env, "t", 1, kafka.ConfigEntry{ConfigName: "max.message.bytes", ConfigValue: "4194304"})
	if err != nil {
		return "", nil, err
	}
	writer := newWriter(env, topic, byNumber)
	writer.BatchBytes = 20 << 20
	var sent [][]byte
	for range 6 {
		value := make([]byte, 3<<20)
		_, _ = rand.Read(value)
		sent = append(sent, value)
		if err := writer.WriteMessages(ctx, kafka.Message{Value: value}); err != nil {
			return "", nil, err
		}
	}
	err = writer.WriteMessages(ctx, kafka.Message{Value: make([]byte, 5<<20)})
	var refusals kafka.WriteErrors
	if !errors.As(err, &refusals) || !errors.Is(refusals[0], kafka.MessageSizeTooLarge) {
		return "", nil, fmt.Errorf("a record above max.message.bytes gave %v", err)
	}
	got, err := collect(ctx, env, topic, len(sent))
	if err != nil {
		return "", nil, err
	}
	for i := range sent {
		if !bytes.Equal(got[i].Value, sent[i]) {
			return "", nil, fmt.Errorf("record %d came back other than it was sent", i)
		}
	}
	return "3 MiB each; 5 MiB refused", Numbers{"messages": len(got)}, nil
}
