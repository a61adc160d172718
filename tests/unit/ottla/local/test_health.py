import errno
import os
import socket

import pytest

from ottla.client.network import reason_of
from ottla.local.health import failure_of
from ottla.local.reachability import DialFailure


def os_error(number: int) -> OSError:
    return OSError(number, os.strerror(number))


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (socket.gaierror(-2, "Name or service not known"), DialFailure.UNRESOLVED),
        (os_error(errno.ECONNREFUSED), DialFailure.REFUSED),
        (os_error(errno.ECONNRESET), DialFailure.CLOSED),
        (TimeoutError(), DialFailure.SILENT),
        (os_error(errno.EHOSTUNREACH), DialFailure.SILENT),
        (os_error(errno.ENETUNREACH), DialFailure.SILENT),
        (os_error(errno.EACCES), DialFailure.OTHER),
    ],
)
def test_the_clients_words_say_what_kind_of_failure_it_was(
    error: OSError, failure: DialFailure
) -> None:
    assert failure_of(reason_of(error, 3000)) is failure
