package main

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// transactions copies a topic to another in transactions of up to 50 records; the third is aborted,
// and what it had read is read again.
func transactions(ctx context.Context, env *Env) (string, Numbers, error) {
	const count = 300
	input, err := create(ctx, env, "in", 3)
	if err != nil {
		return "", nil, err
	}
	output, err := create(ctx, env, "out", 3)
	if err != nil {
		return "", nil, err
	}
	writer, err := newClient(env, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		return "", nil, err
	}
	defer writer.Close()
	if err := produce(ctx, writer, NewLedger(), input, 0, count); err != nil {
		return "", nil, err
	}

	session, err := kgo.NewGroupTransactSession(append(fromStart(input),
		kgo.SeedBrokers(env.Bootstrap...), kgo.TransactionalID(env.Name("tx")), kgo.ConsumerGroup(env.Name("g")),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.RequireStableFetchOffsets(),
		kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
	if err != nil {
		return "", nil, err
	}
	defer session.Close()
	ledger, aborted := NewLedger(), 0
	for done, round := 0, 1; done < count; round++ {
		fetches := session.PollRecords(ctx, 50)
		if err := fetches.Err(); err != nil {
			return "", nil, err
		}
		if err := session.Begin(); err != nil {
			return "", nil, err
		}
		var copies []*kgo.Record
		for _, record := range fetches.Records() {
			copies = append(copies, &kgo.Record{Topic: output, Partition: record.Partition, Value: record.Value})
		}
		if err := session.ProduceSync(ctx, copies...).FirstErr(); err != nil {
			return "", nil, err
		}
		commit := kgo.TransactionEndTry(round != 3)
		committed, err := session.End(ctx, commit)
		if err != nil {
			return "", nil, err
		}
		if committed != bool(commit) {
			return "", nil, fmt.Errorf("transaction %d: committed is %v", round, committed)
		}
		if !committed {
			aborted += len(copies)
			continue
		}
		done += len(copies)
		for _, record := range copies {
			number, err := numberOf(record)
			if err != nil {
				return "", nil, err
			}
			ledger.Acknowledged(number, record.Partition, record.Offset)
		}
	}

	reader, err := newClient(env, append(fromStart(output), kgo.FetchIsolationLevel(kgo.ReadCommitted()))...)
	if err != nil {
		return "", nil, err
	}
	defer reader.Close()
	if err := readAll(ctx, reader, ledger, nil); err != nil {
		return "", nil, err
	}
	if err := ledger.Check(true); err != nil {
		return "", nil, err
	}
	every := NewLedger()
	uncommitted, err := newClient(env, fromStart(output)...)
	if err != nil {
		return "", nil, err
	}
	defer uncommitted.Close()
	for every.Count()+every.Duplicates() < count+aborted {
		if err := poll(ctx, uncommitted, every, nil); err != nil {
			return "", nil, fmt.Errorf("read uncommitted: %d + %d of %d + %d: %w", every.Count(), every.Duplicates(), count, aborted, err)
		}
	}
	if ledger.Count() != count || aborted == 0 {
		return "", nil, fmt.Errorf("%d records, %d aborted", ledger.Count(), aborted)
	}
	offsets, err := kadm.NewClient(writer).FetchOffsets(ctx, env.Name("g"))
	if err != nil {
		return "", nil, err
	}
	total := int64(0)
	offsets.Each(func(offset kadm.OffsetResponse) { total += offset.At })
	if total != count {
		return "", nil, fmt.Errorf("committed offsets %v", offsets)
	}
	return fmt.Sprintf("each record once; %d more were aborted", aborted), Numbers{"messages": ledger.Count()}, nil
}
