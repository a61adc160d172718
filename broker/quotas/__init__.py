"""Quotas of clients: whose rate counts, how fast it is, how long the client has to pause."""
