"""Listeners, framing, dispatch, backpressure and the security of a connection."""
