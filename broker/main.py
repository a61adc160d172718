"""The command `ottla-server`: one node, its roles in its settings."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import logging
import os
import random
import resource
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import NoReturn

from broker.settings import NodeSettings, load_node_settings
from broker.settings_check import validate
from ottla import __version__
from ottla.core.errors import ConfigError
from ottla.core.identifiers import random_uuid, uuid_text
from ottla.core.logs import configure_logging

logger = logging.getLogger(__name__)

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_SECONDS_MAX = 3.0


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ottla-server",
        description="Run one node of an Ottla cluster. Every setting of the file can also be given "
        "as a variable: node.id is OTTLA_NODE_ID.",
    )
    parser.add_argument("--config", metavar="FILE.toml", default="", help="the node's settings")
    parser.add_argument(
        "--initialize",
        action="store_true",
        help="prepare the empty folders of a new cluster's node; without it a controller whose "
        "Raft log is missing refuses to start, since it may have voted before",
    )
    parser.add_argument(
        "--join",
        action="store_true",
        help="prepare the empty metadata folder of a controller that joins a quorum which runs, as "
        "a new voter or with a new disk; it becomes a voter by 'ottla quorum add-voter'",
    )
    parser.add_argument(
        "--format",
        action="store_true",
        help="prepare the empty metadata folder of a new cluster's controller, as --initialize "
        "does at a start, and end",
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="check the settings, print what is taken from where, and end",
    )
    parser.add_argument(
        "--exit-with-parent", action="store_true", help="stop when standard input is closed"
    )
    parser.add_argument(
        "--new-cluster-id", action="store_true", help="print a new cluster.id and end"
    )
    parser.add_argument("--version", action="version", version=f"ottla-server {__version__}")
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse, run, and end with 0 after a clean stop, 1 after a failure, 2 for wrong settings.

    The last line of a failure's output begins with ``error: ``; a traceback goes to the log alone.
    """
    options = build_parser().parse_args(arguments)
    if options.new_cluster_id:
        print(uuid_text(random_uuid(random.SystemRandom())))  # noqa: T201
        return
    signal.signal(signal.SIGTERM, _end_at_once)
    # gRPC's core prints to standard error by itself; what matters of it comes as an exception.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    try:
        if options.check:
            _check(options.config)
            return
        if options.format:
            _format(options.config)
            return
        settings = _prepare(options.config)
    except ConfigError as error:
        _fail(str(error), EXIT_USAGE)
    try:
        _run(
            settings,
            initialize=options.initialize,
            join=options.join,
            exit_with_parent=options.exit_with_parent,
        )
    except ConfigError as error:
        logger.error("%s", error)
        _fail(str(error), EXIT_FAILED)
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except Exception as error:
        _crash(error)


def _end_at_once(*_: object) -> NoReturn:
    """SIGTERM before the loop runs: nothing is open yet."""
    raise SystemExit(0)


def _fail(message: str, code: int) -> NoReturn:
    print(f"error: {message}", file=sys.stderr, flush=True)  # noqa: T201
    raise SystemExit(code)


def _crash(error: Exception) -> NoReturn:
    """A room failed in a way that nobody foresaw: one line with the traceback in the log."""
    causes = "; ".join(dict.fromkeys(_causes(error)))
    logger.critical("this node stops: %s", causes, exc_info=error)
    _fail(f"this node stopped: {causes}; the traceback is in {_log_file()}", EXIT_FAILED)


def _log_thread_failure(failed: threading.ExceptHookArgs) -> None:
    """A thread of a library's that raised: one event, not lines on standard error."""
    name = "?" if failed.thread is None else failed.thread.name
    logger.error("the thread %s failed", name, exc_info=failed.exc_value)


def _causes(error: BaseException) -> Iterator[str]:
    """What failed, one sentence's part each, out of nested groups."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _causes(inner)
    else:
        text = " ".join(str(error).split())
        yield f"{type(error).__name__}: {text}" if text else type(error).__name__


def _log_file() -> str:
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.FileHandler):
            return handler.baseFilename
    return "the log above"


def _check(path: str) -> None:
    loaded = load_node_settings(path, dict(os.environ))
    for warning in validate(loaded.settings):
        print(f"warning: {warning}", file=sys.stderr)  # noqa: T201
    for line in loaded.describe():
        print(line)  # noqa: T201


def _format(path: str) -> None:
    """Prepare a founder's metadata folder; the start that comes later needs no --initialize."""
    from controller.quorum.bootstrap import format_voter

    settings = load_node_settings(path, dict(os.environ)).settings
    validate(settings)
    if not settings.is_controller:
        raise ConfigError("--format prepares controllers; a broker needs no preparation")
    os.umask(0o077)
    folder = settings.metadata_log_dir
    try:
        format_voter(folder, settings.cluster_id, settings.node_id, settings.voters())
    except OSError as error:
        raise ConfigError(
            f"metadata.log.dir: cannot write to {folder} ({error.strerror}); mend its permissions, "
            "or choose another folder"
        ) from None
    print(f"{folder} is prepared for controller {settings.node_id}")  # noqa: T201


def _prepare(path: str) -> NodeSettings:
    """Load, check and show the settings, and send the log where they say."""
    loaded = load_node_settings(path, dict(os.environ))
    settings = loaded.settings
    warnings = validate(settings)
    try:
        configure_logging(
            settings.log_level,
            settings.log_format,
            file=settings.log_file,
            file_bytes_max=settings.log_file_max_bytes,
            files_kept=settings.log_file_backups,
            node_id=settings.node_id,
        )
        # Its warnings of calls that a stop ends say nothing that ours do not.
        logging.getLogger("grpc").setLevel(logging.ERROR)
    except OSError as error:
        raise ConfigError(
            f"log.file: cannot write {settings.log_file} ({error.strerror}); choose another file"
        ) from None
    logger.info("ottla-server %s, process %d", __version__, os.getpid())
    for line in loaded.describe():
        logger.info("setting %s", line)
    for variable in loaded.unknown_variables:
        logger.info("the variable %s names no setting and is ignored", variable)
    for warning in warnings:
        logger.warning("%s", warning)
    return settings


def _run(settings: NodeSettings, *, initialize: bool, join: bool, exit_with_parent: bool) -> None:
    # gRPC's core prints every lost connection by itself; it reads this when it is imported.
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")

    import uvloop

    from broker.node import Node

    threading.excepthook = _log_thread_failure

    async def serve() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        if exit_with_parent:
            loop.add_reader(sys.stdin.fileno(), _on_parent_input, loop, stop)
        # What is alive now lives for ever: the collector need not look at it again.
        gc.collect()
        gc.freeze()
        await Node(settings, initialize=initialize, join=join).run(stop)

    os.umask(0o077)
    _raise_descriptor_limit()
    uvloop.run(serve())
    # Everything is closed. Threads of gRPC's that a call holds must not hold the process.
    last = threading.Timer(EXIT_SECONDS_MAX, os._exit, (0,))
    last.daemon = True
    last.start()


def _raise_descriptor_limit() -> None:
    """Take all descriptors that the system allows: every partition and connection has some."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):  # macOS names a limit that it does not grant
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _on_parent_input(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 4096):
        loop.remove_reader(sys.stdin.fileno())
        stop.set()


if __name__ == "__main__":
    main()
