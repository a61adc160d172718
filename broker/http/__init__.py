"""HTTP of a node: health and metrics, for probes and for Prometheus."""
