"""The replicated log of the controllers; see controller/quorum/README.md."""
