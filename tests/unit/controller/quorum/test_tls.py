"""Which names a certificate proves."""

from __future__ import annotations

from controller.quorum.tls import certificate_names, default_name_of


def test_the_common_name_counts_only_without_alternative_names() -> None:
    class Proved:
        def __init__(self, **names: list[bytes]) -> None:
            self._names = names

        def auth_context(self) -> dict[str, list[bytes]]:
            return self._names

    assert certificate_names(Proved(x509_common_name=[b"node-2"])) == {"node-2"}
    both = Proved(x509_common_name=[b"node-2"], x509_subject_alternative_name=[b"node-3"])
    assert certificate_names(both) == {"node-3"}
    assert certificate_names(Proved()) == set()


def test_the_name_of_a_node() -> None:
    assert default_name_of(2) == "node-2"
