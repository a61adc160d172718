"""How many examples a property test tries.

`make test` tries few, so that it stays quick. The profile `ottla-long` (``make property-long``, or
``pytest --hypothesis-profile=ottla-long``) tries 10,000 of each state machine.
"""

from __future__ import annotations

from hypothesis import settings

LONG_PROFILE = "ottla-long"
EXAMPLES_LONG = 10_000

settings.register_profile(LONG_PROFILE, max_examples=EXAMPLES_LONG)


def examples(count: int, long: int = EXAMPLES_LONG) -> int:
    """`max_examples` for a test that tries `count` normally and `long` in the long profile."""
    return long if settings.get_current_profile_name() == LONG_PROFILE else count
