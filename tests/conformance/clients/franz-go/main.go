// The conformance program of franz-go: see ../README.md.
package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

const filler = "a text that is the same in every record and therefore compresses well, "

func main() {
	Run(map[string]Scenario{
		"compression-none":             compression("none", kgo.NoCompression()),
		"compression-gzip":             compression("gzip", kgo.GzipCompression()),
		"compression-snappy":           compression("snappy", kgo.SnappyCompression()),
		"compression-lz4":              compression("lz4", kgo.Lz4Compression()),
		"compression-zstd":             compression("zstd", kgo.ZstdCompression()),
		"keyed":                        keyed,
		"round-robin":                  roundRobin,
		"headers":                      headers,
		"large-messages":               largeMessages,
		"idempotent":                   idempotent,
		"transactions":                 transactions,
		"rebalance":                    rebalance,
		"seek-pause-offsets-for-times": seekPauseOffsetsForTimes,
		"commit-and-resume":            commitAndResume,
		"admin":                        admin,
		"leader-killed":                leaderKilled,
		"topic-recreated":              topicRecreated,
		"group-protocol-classic":       groupProtocol(false),
		"group-protocol-consumer":      groupProtocol(true),
	}, 80*time.Second)
}

func newClient(env *Env, options ...kgo.Opt) (*kgo.Client, error) {
	return kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(env.Bootstrap...)}, options...)...)
}

// create makes a topic of three replicas and returns its name.
func create(ctx context.Context, env *Env, suffix string, partitions int32, settings ...string) (string, error) {
	client, err := newClient(env)
	if err != nil {
		return "", err
	}
	defer client.Close()
	configs := map[string]*string{}
	for _, setting := range settings {
		key, value, _ := strings.Cut(setting, "=")
		configs[key] = &value
	}
	name := env.Name(suffix)
	_, err = kadm.NewClient(client).CreateTopic(ctx, partitions, 3, configs, name)
	if err != nil {
		return "", fmt.Errorf("create %s: %w", name, err)
	}
	return name, nil
}

// numbered is the record with this number; its value begins with it.
func numbered(topic string, number int) *kgo.Record {
	return &kgo.Record{Topic: topic, Value: []byte(fmt.Sprintf("%d %s", number, strings.Repeat(filler, 14)))}
}

func numberOf(record *kgo.Record) (int, error) {
	text, _, found := strings.Cut(string(record.Value), " ")
	if !found {
		return 0, fmt.Errorf("read a record that nobody wrote: %q", record.Value)
	}
	return strconv.Atoi(text)
}

// produce sends records numbered from first to below end and waits for all of them.
func produce(ctx context.Context, client *kgo.Client, ledger *Ledger, topic string, first, end int) error {
	records := make([]*kgo.Record, 0, end-first)
	for number := first; number < end; number++ {
		record := numbered(topic, number)
		record.Partition = int32(number % 3) // counts only with the manual partitioner
		records = append(records, record)
	}
	for _, result := range client.ProduceSync(ctx, records...) {
		if result.Err != nil {
			return fmt.Errorf("produce: %w", result.Err)
		}
		number, err := numberOf(result.Record)
		if err != nil {
			return err
		}
		ledger.Acknowledged(number, result.Record.Partition, result.Record.Offset)
	}
	return nil
}

// poll reads once into the ledger; each sees every record first.
func poll(ctx context.Context, client *kgo.Client, ledger *Ledger, each func(*kgo.Record) error) error {
	wait, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	fetches := client.PollFetches(wait)
	for _, problem := range fetches.Errors() {
		if wait.Err() == nil {
			return fmt.Errorf("fetch %s-%d: %w", problem.Topic, problem.Partition, problem.Err)
		}
	}
	for iterator := fetches.RecordIter(); !iterator.Done(); {
		record := iterator.Next()
		if each != nil {
			if err := each(record); err != nil {
				return err
			}
		}
		number, err := numberOf(record)
		if err != nil {
			return err
		}
		ledger.Read(number, record.Partition, record.Offset)
	}
	return ctx.Err()
}

// readAll reads until nothing acknowledged is missing, and a little longer for what is too much.
func readAll(ctx context.Context, client *kgo.Client, ledger *Ledger, each func(*kgo.Record) error) error {
	for ledger.Missing() > 0 {
		if err := poll(ctx, client, ledger, each); err != nil {
			return fmt.Errorf("%d acknowledged records were not read: %w", ledger.Missing(), err)
		}
	}
	for end := time.Now().Add(time.Second); time.Now().Before(end); {
		if err := poll(ctx, client, ledger, each); err != nil {
			return err
		}
	}
	return nil
}

func fromStart(topic string) []kgo.Opt {
	return []kgo.Opt{kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart())}
}

// readBack reads a whole topic with a new client.
func readBack(ctx context.Context, env *Env, ledger *Ledger, topic string, each func(*kgo.Record) error) error {
	client, err := newClient(env, fromStart(topic)...)
	if err != nil {
		return err
	}
	defer client.Close()
	return readAll(ctx, client, ledger, each)
}
