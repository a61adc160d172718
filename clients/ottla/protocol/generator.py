"""Writes the generated part of this package: `python -m ottla.protocol.generator [--check]`.

It reads schemas/*.schema and writes messages/<message>.py and table.py, formatted by ruff (a
development dependency, found next to this interpreter). With `--check` nothing is written; the exit
code tells whether the committed files are what would be written.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ottla.protocol.generation.modules import message_module, table_module
from ottla.protocol.generation.schema import load_schemas

PACKAGE = Path(__file__).parent
_FORMAT = ("--isolated", "--line-length", "100", "--target-version", "py311", "--quiet")


def generate(schemas: Path) -> dict[str, str]:
    """All generated modules by their path below the package, formatted."""
    messages = load_schemas(schemas)
    sources = {f"messages/{message.module}.py": message_module(message) for message in messages}
    sources["table.py"] = table_module(messages)
    return format_sources(sources)


def format_sources(sources: dict[str, str]) -> dict[str, str]:
    """`sources` as ruff formats them."""
    with tempfile.TemporaryDirectory(prefix="ottla-generator-") as name:
        folder = Path(name)
        for path, source in sources.items():
            (folder / path).parent.mkdir(exist_ok=True)
            (folder / path).write_text(source, "utf-8")
        subprocess.run(
            [sys.executable, "-m", "ruff", "format", *_FORMAT, "--no-cache", name], check=True
        )
        return {path: (folder / path).read_text("utf-8") for path in sources}


def committed(package: Path) -> dict[str, str]:
    """The generated modules as they are in `package`."""
    paths = [*package.glob("messages/*.py"), package / "table.py"]
    return {
        path.relative_to(package).as_posix(): path.read_text("utf-8")
        for path in paths
        if path.name != "__init__.py" and path.exists()
    }


def differences(wanted: dict[str, str], present: dict[str, str]) -> list[str]:
    """Paths that are missing, different or no longer generated, sorted."""
    return sorted(
        path for path in wanted.keys() | present.keys() if wanted.get(path) != present.get(path)
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m ottla.protocol.generator", description="Write the generated codecs."
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail when a file would change"
    )
    options = parser.parse_args(arguments)
    wanted = generate(PACKAGE / "schemas")
    changed = differences(wanted, committed(PACKAGE))
    if not options.check:
        for path in changed:
            if path in wanted:
                (PACKAGE / path).write_text(wanted[path], "utf-8")
            else:
                (PACKAGE / path).unlink()
    verb = "would change" if options.check else "written"
    for path in changed:
        sys.stdout.write(f"{verb}: {path}\n")
    return 1 if options.check and changed else 0


if __name__ == "__main__":
    sys.exit(main())
