package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

func compression(name string, codec kgo.CompressionCodec) Scenario {
	types := map[string]uint8{"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
	return func(ctx context.Context, env *Env) (string, Numbers, error) {
		topic, err := create(ctx, env, "t", 3)
		if err != nil {
			return "", nil, err
		}
		client, err := newClient(env, kgo.ProducerBatchCompression(codec), kgo.RecordPartitioner(kgo.ManualPartitioner()))
		if err != nil {
			return "", nil, err
		}
		defer client.Close()
		ledger := NewLedger()
		if err := produce(ctx, client, ledger, topic, 0, 1000); err != nil {
			return "", nil, err
		}
		err = readBack(ctx, env, ledger, topic, func(record *kgo.Record) error {
			if record.Attrs.CompressionType() != types[name] {
				return fmt.Errorf("the batch at %d is of compression type %d", record.Offset, record.Attrs.CompressionType())
			}
			return nil
		})
		if err != nil {
			return "", nil, err
		}
		return "in batches of this type", Numbers{"messages": ledger.Count()}, ledger.Check(true)
	}
}

func keyed(ctx context.Context, env *Env) (string, Numbers, error) {
	topic, err := create(ctx, env, "t", 4)
	if err != nil {
		return "", nil, err
	}
	client, err := newClient(env)
	if err != nil {
		return "", nil, err
	}
	defer client.Close()
	ledger := NewLedger()
	for number := range 600 {
		record := numbered(topic, number)
		record.Key = fmt.Appendf(nil, "key-%d", number%30)
		client.Produce(ctx, record, func(record *kgo.Record, err error) {
			if err == nil {
				ledger.Acknowledged(number, record.Partition, record.Offset)
			}
		})
	}
	if err := client.Flush(ctx); err != nil {
		return "", nil, err
	}
	home := map[string]int32{}
	err = readBack(ctx, env, ledger, topic, func(record *kgo.Record) error {
		before, known := home[string(record.Key)]
		if known && before != record.Partition {
			return fmt.Errorf("%s is in partitions %d and %d", record.Key, before, record.Partition)
		}
		home[string(record.Key)] = record.Partition
		return nil
	})
	if err != nil {
		return "", nil, err
	}
	if len(home) != 30 || ledger.Count() != 600 || ledger.Partitions() != 4 {
		return "", nil, fmt.Errorf("%d keys, %d records in %d partitions", len(home), ledger.Count(), ledger.Partitions())
	}
	return "30 keys, each in one partition", Numbers{"messages": ledger.Count()}, ledger.Check(true)
}

func roundRobin(ctx context.Context, env *Env) (string, Numbers, error) {
	topic, err := create(ctx, env, "t", 4)
	if err != nil {
		return "", nil, err
	}
	client, err := newClient(env, kgo.RecordPartitioner(kgo.RoundRobinPartitioner()))
	if err != nil {
		return "", nil, err
	}
	defer client.Close()
	ledger := NewLedger()
	if err := produce(ctx, client, ledger, topic, 0, 400); err != nil {
		return "", nil, err
	}
	counts := map[int32]int{}
	err = readBack(ctx, env, ledger, topic, func(record *kgo.Record) error {
		counts[record.Partition]++
		return nil
	})
	if err != nil {
		return "", nil, err
	}
	if !reflect.DeepEqual(counts, map[int32]int{0: 100, 1: 100, 2: 100, 3: 100}) {
		return "", nil, fmt.Errorf("records by partition: %v", counts)
	}
	return "100 records in each of 4 partitions", Numbers{"messages": ledger.Count()}, ledger.Check(true)
}

func headers(ctx context.Context, env *Env) (string, Numbers, error) {
	topic, err := create(ctx, env, "t", 1)
	if err != nil {
		return "", nil, err
	}
	client, err := newClient(env)
	if err != nil {
		return "", nil, err
	}
	defer client.Close()
	stamp := time.UnixMilli(1_700_000_000_123)
	sent := []*kgo.Record{
		{Value: []byte("several"), Headers: []kgo.RecordHeader{
			{Key: "a", Value: []byte("1")}, {Key: "имя", Value: []byte{0, 0xff, 0x80}}, {Key: "a", Value: []byte("2")},
		}},
		{Value: []byte("empty and none"), Headers: []kgo.RecordHeader{{Key: "empty", Value: []byte{}}, {Key: "null", Value: nil}, {Key: "", Value: []byte("no name")}}},
		{Key: []byte("deleted"), Value: nil, Headers: []kgo.RecordHeader{{Key: "why", Value: []byte("a tombstone keeps its headers")}}},
		{Key: []byte{}, Value: []byte{}},
	}
	for _, record := range sent {
		record.Topic, record.Timestamp = topic, stamp
		if err := client.ProduceSync(ctx, record).FirstErr(); err != nil {
			return "", nil, err
		}
	}
	reader, err := newClient(env, fromStart(topic)...)
	if err != nil {
		return "", nil, err
	}
	defer reader.Close()
	var got []*kgo.Record
	for len(got) < len(sent) {
		fetches := reader.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return "", nil, err
		}
		got = append(got, fetches.Records()...)
	}
	for i, record := range got {
		same := reflect.DeepEqual(record.Key, sent[i].Key) && reflect.DeepEqual(record.Value, sent[i].Value) &&
			len(record.Headers) == len(sent[i].Headers) && record.Timestamp.Equal(stamp) && record.Offset == int64(i)
		for j := range record.Headers {
			same = same && reflect.DeepEqual(record.Headers[j], sent[i].Headers[j])
		}
		if !same {
			return "", nil, fmt.Errorf("sent %+v, read %+v", sent[i], record)
		}
	}
	return "order, repeats, null and empty kept", Numbers{"messages": len(got)}, nil
}

func largeMessages(ctx context.Context, env *Env) (string, Numbers, error) {
	topic, err := create(ctx, env, "t", 1, "max.message.bytes=4194304")
	if err != nil {
		return "", nil, err
	}
	client, err := newClient(env, kgo.ProducerBatchMaxBytes(20_000_000), kgo.ProducerBatchCompression(kgo.NoCompression()))
	if err != nil {
		return "", nil, err
	}
	defer client.Close()
	var sent [][]byte
	for range 6 {
		value := make([]byte, 3<<20)
		_, _ = rand.Read(value)
		sent = append(sent, value)
		if err := client.ProduceSync(ctx, &kgo.Record{Topic: topic, Value: value}).FirstErr(); err != nil {
			return "", nil, err
		}
	}
	err = client.ProduceSync(ctx, &kgo.Record{Topic: topic, Value: make([]byte, 5<<20)}).FirstErr()
	if !errors.Is(err, kerr.MessageTooLarge) {
		return "", nil, fmt.Errorf("a record above max.message.bytes gave %v", err)
	}
	reader, err := newClient(env, fromStart(topic)...)
	if err != nil {
		return "", nil, err
	}
	defer reader.Close()
	var got []*kgo.Record
	for len(got) < len(sent) {
		fetches := reader.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return "", nil, err
		}
		got = append(got, fetches.Records()...)
	}
	for i := range sent {
		if !bytes.Equal(got[i].Value, sent[i]) {
			return "", nil, fmt.Errorf("record %d of %d bytes came back other than it was sent", i, len(sent[i]))
		}
	}
	return "3 MiB each; 5 MiB refused", Numbers{"messages": len(got)}, nil
}

func idempotent(ctx context.Context, env *Env) (string, Numbers, error) {
	topic, err := create(ctx, env, "t", 3)
	if err != nil {
		return "", nil, err
	}
	client, err := newClient(env, kgo.RecordPartitioner(kgo.ManualPartitioner())) // idempotent unless told otherwise
	if err != nil {
		return "", nil, err
	}
	defer client.Close()
	ledger := NewLedger()
	for first := 0; first < 5000; first += 100 {
		if err := produce(ctx, client, ledger, topic, first, first+100); err != nil {
			return "", nil, err
		}
	}
	producerID, producerEpoch, err := client.ProducerID(ctx)
	if err != nil {
		return "", nil, err
	}
	err = readBack(ctx, env, ledger, topic, func(record *kgo.Record) error {
		if record.ProducerID != producerID || record.ProducerEpoch != producerEpoch {
			return fmt.Errorf("a batch of producer %d epoch %d", record.ProducerID, record.ProducerEpoch)
		}
		return nil
	})
	if err != nil {
		return "", nil, err
	}
	return "batches carry the producer's id", Numbers{"messages": ledger.Count()}, ledger.Check(true)
}
