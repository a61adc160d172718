"""The command `ottla-server`: one node, its roles in its settings."""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import os
import random
import signal
import sys
from collections.abc import Sequence

from broker.settings import NodeSettings, load_node_settings, validate
from ottla import __version__
from ottla.core.errors import ConfigError
from ottla.core.identifiers import random_uuid, uuid_text
from ottla.core.logs import configure_logging

logger = logging.getLogger(__name__)

EXIT_FAILED = 1
EXIT_USAGE = 2


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
        "--exit-with-parent", action="store_true", help="stop when standard input is closed"
    )
    parser.add_argument(
        "--new-cluster-id", action="store_true", help="print a new cluster.id and end"
    )
    parser.add_argument("--version", action="version", version=f"ottla-server {__version__}")
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse, run, and end with 0 after a clean stop, 1 after a failure, 2 for wrong settings."""
    options = build_parser().parse_args(arguments)
    if options.new_cluster_id:
        print(uuid_text(random_uuid(random.SystemRandom())))  # noqa: T201
        return
    try:
        settings = _prepare(options.config)
    except ConfigError as error:
        _fail(str(error), EXIT_USAGE)
    try:
        _run(settings, initialize=options.initialize, exit_with_parent=options.exit_with_parent)
    except ConfigError as error:
        _fail(str(error), EXIT_FAILED)
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def _fail(message: str, code: int) -> None:
    logging.getLogger(__name__).error("%s", message)
    print(f"error: {message}", file=sys.stderr)  # noqa: T201
    raise SystemExit(code)


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
        )
    except OSError as error:
        raise ConfigError(f"log.file: cannot write {settings.log_file}: {error}") from None
    logger.info("ottla-server %s, process %d", __version__, os.getpid())
    for line in loaded.describe():
        logger.info("setting %s", line)
    for variable in loaded.unknown_variables:
        logger.info("the variable %s names no setting and is ignored", variable)
    for warning in warnings:
        logger.warning("%s", warning)
    return settings


def _run(settings: NodeSettings, *, initialize: bool, exit_with_parent: bool) -> None:
    import uvloop

    from broker.node import Node

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
        await Node(settings, initialize=initialize).run(stop)

    os.umask(0o077)
    uvloop.run(serve())


def _on_parent_input(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 4096):
        loop.remove_reader(sys.stdin.fileno())
        stop.set()


if __name__ == "__main__":
    main()
