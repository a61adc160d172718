"""What all rooms share: checks, clock, errors, identifiers, hashing, settings, logging."""
