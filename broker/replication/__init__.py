"""Replication: the partition's state machine, in-sync replicas, and the streams between brokers."""
