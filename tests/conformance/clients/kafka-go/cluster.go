package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
)

// seekPauseOffsetsForTimes: the client has no pause; a partition that nobody reads is paused.
func seekPauseOffsetsForTimes(ctx context.Context, env *Env) (string, Numbers, error) {
	topic, err := create(ctx, env, "t", 2)
	if err != nil {
		return "", nil, err
	}
	start, client := time.UnixMilli(1_700_000_000_000), newClient(env)
	var messages []kafka.Message
	for number := range 200 {
		message := numbered(number)
		message.Time = start.Add(time.Duration(number/2) * time.Second)
		messages = append(messages, message)
	}
	if err := newWriter(env, topic, byNumber).WriteMessages(ctx, messages...); err != nil {
		return "", nil, err
	}
	for after, want := range map[time.Duration]int64{-5 * time.Second: 0, 40 * time.Second: 40, 40*time.Second + 1e6: 41, 1000 * time.Second: -1} {
		for partition := range 2 {
			response, err := client.ListOffsets(ctx, &kafka.ListOffsetsRequest{
				Topics: map[string][]kafka.OffsetRequest{topic: {kafka.TimeOffsetOf(partition, start.Add(after))}},
			})
			if err != nil {
				return "", nil, err
			}
			told := response.Topics[topic][0]
			if _, found := told.Offsets[want]; told.Error != nil || !found || len(told.Offsets) != 1 {
				return "", nil, fmt.Errorf("%v after the first record: %+v, not %d", after, told, want)
			}
		}
	}
	reader := kafka.NewReader(kafka.ReaderConfig{Brokers: env.Bootstrap, Topic: topic, Partition: 1, MaxWait: 200 * time.Millisecond})
	defer reader.Close()
	expect := func(from, end int64) error {
		for offset := from; offset < end; offset++ {
			message, err := reader.ReadMessage(ctx)
			if err != nil {
				return err
			}
			if number, err := numberOf(message); err != nil || message.Offset != offset || number != int(2*offset+1) {
				return fmt.Errorf("record %d at offset %d instead of %d", number, message.Offset, offset)
			}
		}
		return nil
	}
	if err := expect(0, 100); err != nil {
		return "", nil, err
	}
	if err := reader.SetOffset(90); err != nil {
		return "", nil, err
	}
	if err := expect(90, 100); err != nil {
		return "", nil, err
	}
	if err := reader.SetOffsetAt(ctx, start.Add(30*time.Second)); err != nil {
		return "", nil, err
	}
	if err := expect(30, 50); err != nil {
		return "", nil, err
	}
	time.Sleep(2 * time.Second)
	if err := expect(50, 100); err != nil {
		return "", nil, err
	}
	late, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if message, err := reader.ReadMessage(late); err == nil {
		return "", nil, fmt.Errorf("a record after the last: %+v", message)
	}
	return "offsets for times exact; seek by offset and by time; the client has no pause", Numbers{"messages": 200}, nil
}

// metadataTTL is how old the client's metadata may be, plus a second.
const metadataTTL = 7 * time.Second

func admin(ctx context.Context, env *Env) (string, Numbers, error) {
	client, topic := newClient(env), env.Name("t")
	if _, err := create(ctx, env, "t", 2, kafka.ConfigEntry{ConfigName: "retention.ms", ConfigValue: "123456"}); err != nil {
		return "", nil, err
	}
	if _, err := create(ctx, env, "t", 2); !errors.Is(err, kafka.TopicAlreadyExists) {
		return "", nil, fmt.Errorf("created a second time: %v", err)
	}
	retention := func(want string) error {
		response, err := client.DescribeConfigs(ctx, &kafka.DescribeConfigsRequest{Resources: []kafka.DescribeConfigRequestResource{
			{ResourceType: kafka.ResourceTypeTopic, ResourceName: topic, ConfigNames: []string{"retention.ms"}},
		}})
		if err != nil {
			return err
		}
		entries := response.Resources[0].ConfigEntries
		if len(entries) != 1 || entries[0].ConfigValue != want {
			return fmt.Errorf("retention.ms is not %s: %+v", want, response.Resources)
		}
		return nil
	}
	alter := func(operation kafka.ConfigOperation, value string) error {
		response, err := client.IncrementalAlterConfigs(ctx, &kafka.IncrementalAlterConfigsRequest{
			Resources: []kafka.IncrementalAlterConfigsRequestResource{{
				ResourceType: kafka.ResourceTypeTopic, ResourceName: topic,
				Configs: []kafka.IncrementalAlterConfigsRequestConfig{{Name: "retention.ms", Value: value, ConfigOperation: operation}},
			}},
		})
		if err != nil {
			return err
		}
		return response.Resources[0].Error
	}
	steps := []func() error{
		func() error { return retention("123456") },
		func() error { return alter(kafka.ConfigOperationSet, "654321") },
		func() error { return retention("654321") },
		func() error {
			if err := alter(kafka.ConfigOperationSet, "never"); !errors.Is(err, kafka.InvalidConfiguration) {
				return fmt.Errorf("a value that is no number gave %v", err)
			}
			return nil
		},
		func() error { return alter(kafka.ConfigOperationDelete, "") },
		func() error { return retention("604800000") },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return "", nil, err
		}
	}
	grown, err := client.CreatePartitions(ctx, &kafka.CreatePartitionsRequest{Topics: []kafka.TopicPartitionsConfig{{Name: topic, Count: 4}}})
	if err != nil {
		return "", nil, err
	}
	if err := grown.Errors[topic]; err != nil {
		return "", nil, err
	}
	err = Wait(ctx, metadataTTL, func() error {
		described, err := client.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{topic}})
		if err != nil {
			return err
		}
		if partitions := described.Topics[0].Partitions; len(partitions) != 4 || len(partitions[3].Replicas) != 3 || partitions[3].Leader.ID < 1 {
			return fmt.Errorf("described as %+v", described.Topics)
		}
		return nil
	})
	if err != nil {
		return "", nil, err
	}
	remove := func() error {
		response, err := client.DeleteTopics(ctx, &kafka.DeleteTopicsRequest{Topics: []string{topic}})
		if err != nil {
			return err
		}
		return response.Errors[topic]
	}
	if err := remove(); err != nil {
		return "", nil, err
	}
	err = Wait(ctx, metadataTTL, func() error {
		listed, err := client.Metadata(ctx, &kafka.MetadataRequest{})
		if err != nil {
			return err
		}
		for _, one := range listed.Topics {
			if one.Name == topic {
				return errors.New("the deleted topic is still listed")
			}
		}
		return nil
	})
	if err != nil {
		return "", nil, err
	}
	if err := remove(); !errors.Is(err, kafka.UnknownTopicOrPartition) {
		return "", nil, fmt.Errorf("deleted a second time: %v", err)
	}
	return "created, altered, grown, described, deleted; wrong requests refused", nil, nil
}

// leaderKilled: the writer is not idempotent, a try after a lost answer may write a record again.
func leaderKilled(ctx context.Context, env *Env) (string, Numbers, error) {
	topic, err := create(ctx, env, "t", 1, kafka.ConfigEntry{ConfigName: "min.insync.replicas", ConfigValue: "2"})
	if err != nil {
		return "", nil, err
	}
	var gaps Gaps
	ledger, writer := NewLedger(), newWriter(env, topic, byNumber)
	writer.MaxAttempts = 50
	// By default metadata is up to 6 s old, and that, not the cluster, would decide how long the gap is.
	writer.Transport = &kafka.Transport{MetadataTTL: 100 * time.Millisecond}
	acknowledge(writer, ledger)
	note := writer.Completion
	writer.Completion = func(messages []kafka.Message, err error) {
		if err == nil {
			gaps.Mark()
		}
		note(messages, err)
	}
	var sending sync.WaitGroup
	refused, killed := make(chan error, 2000), make(chan error, 1)
	time.AfterFunc(2*time.Second, func() { killed <- env.Ask("kill-leader", topic, 0) })
	number := 0
	for end := time.Now().Add(6 * time.Second); time.Now().Before(end); number++ {
		message := numbered(number)
		sending.Go(func() {
			// While the partition has no leader the writer fails at once, whatever its MaxAttempts.
			if err := Wait(ctx, 20*time.Second, func() error { return writer.WriteMessages(ctx, message) }); err != nil {
				refused <- err
			}
		})
		time.Sleep(5 * time.Millisecond)
	}
	sending.Wait()
	if err := <-killed; err != nil {
		return "", nil, err
	}
	numbers := Numbers{"longest_gap_ms": gaps.LongestMs()}
	if len(refused) > 0 {
		return "", numbers, fmt.Errorf("%d records were refused: %w", len(refused), <-refused)
	}
	if err := env.Ask("restart"); err != nil {
		return "", numbers, err
	}
	if err := produce(ctx, writer, number, number+100); err != nil {
		return "", numbers, err
	}
	if err := readBack(ctx, env, ledger, topic, 1, nil); err != nil {
		return "", numbers, err
	}
	numbers["messages"], numbers["duplicates"] = ledger.Count(), ledger.Duplicates()
	return "all acknowledged, all read; metadata at most 100ms old; the program writes again while there is no leader; no idempotence", numbers, ledger.Check(false)
}

func topicRecreated(ctx context.Context, env *Env) (string, Numbers, error) {
	topic, err := create(ctx, env, "t", 3)
	if err != nil {
		return "", nil, err
	}
	before, after, writer := NewLedger(), NewLedger(), newWriter(env, topic, byNumber)
	acknowledge(writer, before)
	intoBefore, intoAfter := into(before), into(after)
	r := readPartitions(ctx, env, topic, 3, func(message kafka.Message) error {
		if number, _ := numberOf(message); number < 1000 {
			return intoBefore(message)
		}
		return intoAfter(message)
	})
	defer r.close()
	if err := produce(ctx, writer, 0, 100); err != nil {
		return "", nil, err
	}
	if err := r.wait(ctx, 20*time.Second, allRead(before)); err != nil {
		return "", nil, err
	}
	if err := before.Check(true); err != nil {
		return "", nil, err
	}
	client := newClient(env)
	if response, err := client.DeleteTopics(ctx, &kafka.DeleteTopicsRequest{Topics: []string{topic}}); err != nil || response.Errors[topic] != nil {
		return "", nil, fmt.Errorf("delete: %v %+v", err, response)
	}
	if err := Wait(ctx, 10*time.Second, func() error {
		_, err := create(ctx, env, "t", 3)
		return err
	}); err != nil {
		return "", nil, err
	}
	acknowledge(writer, after)
	tries := 0
	if err := Wait(ctx, 20*time.Second, func() error {
		tries++
		return produce(ctx, writer, 1000*tries, 1000*tries+40)
	}); err != nil {
		return "", nil, err
	}
	if err := r.wait(ctx, 30*time.Second, allRead(after)); err != nil {
		return "", nil, err
	}
	time.Sleep(time.Second)
	return fmt.Sprintf("the producer needed %d tries; the client tells that offsets are out of range, the program goes to the first", tries), Numbers{"messages": before.Count() + after.Count()}, after.Check(tries == 1)
}
