"""Which brokers should have which partitions, and what it costs to get there; pure."""
