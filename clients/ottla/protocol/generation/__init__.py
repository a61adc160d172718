"""What turns schema tables into the codecs of `ottla.protocol.messages`; unused at run time."""
