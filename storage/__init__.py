"""See storage/README.md."""
