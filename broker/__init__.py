"""See broker/README.md."""
