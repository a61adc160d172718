"""The runtime that runs a pure coordinator over the partitions of a replicated topic."""
