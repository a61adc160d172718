"""Metrics that clients send (KIP-714): who is to send which, and what came, for /metrics."""
