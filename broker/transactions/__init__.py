"""Transactions: the coordinator, and its channel to partitions (KIP-98, KIP-890)."""
