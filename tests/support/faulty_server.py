"""`ottla-server` with a mistake in it, run as a program: ListTransactions fails unexpectedly.

Only so can a test see what is told of a fault that nobody has foreseen. No client of the project
asks for that API by itself.
"""

from __future__ import annotations

from unittest.mock import patch

from broker.handlers import list_transactions
from broker.main import main


def mistaken(pattern: str | None) -> None:
    raise KeyError(pattern)


if __name__ == "__main__":
    with patch.object(list_transactions, "id_pattern", mistaken):
        main()
