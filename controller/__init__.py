"""See controller/README.md."""
