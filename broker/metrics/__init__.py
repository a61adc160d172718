"""What a node counts, read at scrape time and written as text for Prometheus."""
