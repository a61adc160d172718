"""Consumer groups: the classic protocol and committed offsets, as pure machines with `replay`."""
