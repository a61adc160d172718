"""The pin of the library and what is taken away from it."""

from __future__ import annotations

import pysyncobj.version
import pytest

from controller.quorum import library
from ottla.core.errors import ConfigError


def test_only_the_release_whose_faults_are_known() -> None:
    library.require_supported(pysyncobj.version.VERSION)
    with pytest.raises(ConfigError, match="pysyncobj 0.3.15 is installed.*: install pysyncobj==0"):
        library.require_supported("0.3.15")


def test_the_library_makes_no_journal_and_no_pipe_of_its_own() -> None:
    journal = object()
    assert library.syncobj.createJournal(journal) is journal
    assert library.syncobj.PIPE_NOTIFIER_ENABLED is False


def test_names_that_the_guards_override_exist() -> None:
    for name in (
        "_SyncObj__onMessageReceived",
        "_SyncObj__applyLogEntries",
        "_SyncObj__tryLogCompaction",
        "_SyncObj__generateRaftTimeout",
        "_checkCommandsToApply",
        "_onTick",
    ):
        assert callable(getattr(library.SyncObj, name))
