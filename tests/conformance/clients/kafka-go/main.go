// The conformance program of segmentio/kafka-go: see ../README.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
)

const filler = "a text that is the same in every record and therefore compresses well, "

func main() {
	Run(map[string]Scenario{
		"compression-none":             compression(0),
		"compression-gzip":             compression(kafka.Gzip),
		"compression-snappy":           compression(kafka.Snappy),
		"compression-lz4":              compression(kafka.Lz4),
		"compression-zstd":             compression(kafka.Zstd),
		"keyed":                        keyed,
		"round-robin":                  roundRobin,
		"headers":                      headers,
		"large-messages":               largeMessages,
		"rebalance":                    rebalance,
		"seek-pause-offsets-for-times": seekPauseOffsetsForTimes,
		"commit-and-resume":            commitAndResume,
		"admin":                        admin,
		"leader-killed":                leaderKilled,
		"topic-recreated":              topicRecreated,
		"group-protocol-classic":       groupProtocolClassic,
	}, 80*time.Second)
}

func newClient(env *Env) *kafka.Client {
	return &kafka.Client{Addr: kafka.TCP(env.Bootstrap...), Timeout: 10 * time.Second}
}

// create makes a topic of three replicas and returns its name.
func create(ctx context.Context, env *Env, suffix string, partitions int, settings ...kafka.ConfigEntry) (string, error) {
	name := env.Name(suffix)
	response, err := newClient(env).CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{
		{Topic: name, NumPartitions: partitions, ReplicationFactor: 3, ConfigEntries: settings},
	}})
	if err != nil {
		return "", err
	}
	return name, response.Errors[name]
}

// newWriter waits for all replicas. The linger is short: by default each synchronous write waits a second.
func newWriter(env *Env, topic string, balancer kafka.Balancer) *kafka.Writer {
	return &kafka.Writer{
		Addr: kafka.TCP(env.Bootstrap...), Topic: topic, Balancer: balancer,
		RequiredAcks: kafka.RequireAll, BatchTimeout: 5 * time.Millisecond,
	}
}

// byNumber puts the record with number n into partition n modulo their count.
var byNumber = kafka.BalancerFunc(func(message kafka.Message, partitions ...int) int {
	number, _ := numberOf(message)
	return partitions[number%len(partitions)]
})

func numbered(number int) kafka.Message {
	return kafka.Message{Value: fmt.Appendf(nil, "%d %s", number, strings.Repeat(filler, 14))}
}

func numberOf(message kafka.Message) (int, error) {
	text, _, found := strings.Cut(string(message.Value), " ")
	if !found {
		return 0, fmt.Errorf("read a record that nobody wrote: %q", message.Value)
	}
	return strconv.Atoi(text)
}

// acknowledge has the writer note in the ledger where its records are.
func acknowledge(writer *kafka.Writer, ledger *Ledger) {
	writer.Completion = func(messages []kafka.Message, err error) {
		if err != nil {
			return
		}
		for _, message := range messages {
			if number, err := numberOf(message); err == nil {
				ledger.Acknowledged(number, int32(message.Partition), message.Offset)
			}
		}
	}
}

func produce(ctx context.Context, writer *kafka.Writer, first, end int) error {
	messages := make([]kafka.Message, 0, end-first)
	for number := first; number < end; number++ {
		messages = append(messages, numbered(number))
	}
	return writer.WriteMessages(ctx, messages...)
}

// readers read partitions without a group, each in the background, until they are closed.
type readers struct {
	all    []*kafka.Reader
	cancel context.CancelFunc
	done   sync.WaitGroup
	failed chan error
}

func readPartitions(ctx context.Context, env *Env, topic string, partitions int, each func(kafka.Message) error) *readers {
	reading, cancel := context.WithCancel(ctx)
	r := &readers{cancel: cancel, failed: make(chan error, partitions)}
	var mutex sync.Mutex
	for partition := range partitions {
		reader := kafka.NewReader(kafka.ReaderConfig{
			Brokers: env.Bootstrap, Topic: topic, Partition: partition, MaxWait: 200 * time.Millisecond,
			OffsetOutOfRangeError: true, // else it waits for ever for an offset above the end
		})
		r.all = append(r.all, reader)
		r.done.Go(func() {
			for {
				message, err := reader.ReadMessage(reading)
				if errors.Is(err, kafka.OffsetOutOfRange) {
					err = reader.SetOffset(kafka.FirstOffset)
					if err == nil {
						continue
					}
				}
				if err == nil {
					mutex.Lock()
					err = each(message)
					mutex.Unlock()
				}
				if err != nil {
					if reading.Err() == nil {
						r.failed <- err
					}
					return
				}
			}
		})
	}
	return r
}

func (r *readers) close() {
	r.cancel()
	r.done.Wait()
	for _, reader := range r.all {
		_ = reader.Close()
	}
}

func (r *readers) wait(ctx context.Context, limit time.Duration, condition func() error) error {
	return Wait(ctx, limit, func() error {
		select {
		case err := <-r.failed:
			return err
		default:
			return condition()
		}
	})
}

func into(ledger *Ledger) func(kafka.Message) error {
	return func(message kafka.Message) error {
		number, err := numberOf(message)
		if err == nil {
			ledger.Read(number, int32(message.Partition), message.Offset)
		}
		return err
	}
}

func allRead(ledger *Ledger) func() error {
	return func() error {
		if missing := ledger.Missing(); missing > 0 {
			return fmt.Errorf("%d acknowledged records were not read", missing)
		}
		return nil
	}
}

// readBack reads a whole topic, and a second longer for what is too much.
func readBack(ctx context.Context, env *Env, ledger *Ledger, topic string, partitions int, each func(kafka.Message) error) error {
	note := into(ledger)
	r := readPartitions(ctx, env, topic, partitions, func(message kafka.Message) error {
		if each != nil {
			if err := each(message); err != nil {
				return err
			}
		}
		return note(message)
	})
	defer r.close()
	if err := r.wait(ctx, 30*time.Second, allRead(ledger)); err != nil {
		return err
	}
	time.Sleep(time.Second)
	return nil
}
