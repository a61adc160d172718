"""Generated from ../schemas by `python -m ottla.protocol.generator`: one module per message."""
