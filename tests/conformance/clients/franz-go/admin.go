package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

func admin(ctx context.Context, env *Env) (string, Numbers, error) {
	client, err := newClient(env)
	if err != nil {
		return "", nil, err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	topic, err := create(ctx, env, "t", 2, "retention.ms=123456")
	if err != nil {
		return "", nil, err
	}
	if _, err := admin.CreateTopic(ctx, 1, 1, nil, topic); !errors.Is(err, kerr.TopicAlreadyExists) {
		return "", nil, fmt.Errorf("created a second time: %v", err)
	}
	retention := func(want string, source string) error {
		configs, err := admin.DescribeTopicConfigs(ctx, topic)
		if err != nil {
			return err
		}
		for _, config := range configs[0].Configs {
			if config.Key == "retention.ms" {
				if config.MaybeValue() != want || config.Source.String() != source {
					return fmt.Errorf("retention.ms is %s from %s", config.MaybeValue(), config.Source)
				}
				return nil
			}
		}
		return fmt.Errorf("no retention.ms in %+v", configs[0])
	}
	if err := retention("123456", "DYNAMIC_TOPIC_CONFIG"); err != nil {
		return "", nil, err
	}
	alter := func(change kadm.AlterConfig) error {
		answers, err := admin.AlterTopicConfigs(ctx, []kadm.AlterConfig{change}, topic)
		if err != nil {
			return err
		}
		return answers[0].Err
	}
	if err := alter(kadm.AlterConfig{Op: kadm.SetConfig, Name: "retention.ms", Value: kadm.StringPtr("7200000")}); err != nil {
		return "", nil, err
	}
	if err := retention("7200000", "DYNAMIC_TOPIC_CONFIG"); err != nil {
		return "", nil, err
	}
	if err := alter(kadm.AlterConfig{Op: kadm.SetConfig, Name: "retention.ms", Value: kadm.StringPtr("never")}); !errors.Is(err, kerr.InvalidConfig) {
		return "", nil, fmt.Errorf("a value that is no number gave %v", err)
	}
	if err := alter(kadm.AlterConfig{Op: kadm.DeleteConfig, Name: "retention.ms"}); err != nil {
		return "", nil, err
	}
	if err := retention("604800000", "DEFAULT_CONFIG"); err != nil {
		return "", nil, err
	}
	grown, err := admin.CreatePartitions(ctx, 2, topic)
	if err != nil {
		return "", nil, err
	}
	if err := grown[topic].Err; err != nil {
		return "", nil, err
	}
	topics, err := admin.ListTopics(ctx, topic)
	if err != nil {
		return "", nil, err
	}
	described := topics[topic]
	if described.Err != nil || len(described.Partitions) != 4 || described.Partitions.NumReplicas() != 3 {
		return "", nil, fmt.Errorf("described as %+v", described)
	}
	if _, err := admin.DeleteTopic(ctx, topic); err != nil {
		return "", nil, err
	}
	err = Wait(ctx, 5*time.Second, func() error {
		topics, err := admin.ListTopics(ctx)
		if err == nil && topics.Has(topic) {
			err = errors.New("the deleted topic is still listed")
		}
		return err
	})
	if err != nil {
		return "", nil, err
	}
	if _, err := admin.DeleteTopic(ctx, topic); !errors.Is(err, kerr.UnknownTopicOrPartition) {
		return "", nil, fmt.Errorf("deleted a second time: %v", err)
	}
	return "created, altered, grown, described, deleted; wrong requests refused", nil, nil
}
