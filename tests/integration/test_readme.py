"""The READMEs keep their word: each command and each Python example in them is run.

A shell command that cannot be run inside a test (`make`, other programs' installers) is compared
with what really exists: targets of the Makefile, commands and options of the command line.
"""

from __future__ import annotations

import functools
import itertools
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import confluent_kafka
import pytest

from broker.settings import load_node_settings
from broker.settings_check import validate
from ottla.testing import Cluster

ROOT = Path(__file__).parents[2]
READMES = [
    ROOT / "README.md",
    ROOT / "clients" / "README.md",
    ROOT / "deploy" / "README.md",
    ROOT / "clients" / "spring-boot" / "README.md",
]
ELSEWHERE = ("make ", "pip ", "docker ", "kubectl ", "mvn ")
"""Programs that are run by hand, by CI, by tests/compose or tests/conformance."""
BIN = Path(sys.executable).parent
SECONDS_MAX = 60.0


def blocks(file: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", file.read_text("utf-8"), re.M | re.S)


def shell_lines(file: Path) -> list[str]:
    lines = [
        line.partition("  #")[0].strip()
        for block in blocks(file, "sh")
        for line in block.splitlines()
    ]
    return [line for line in lines if line and not line.startswith("#")]


def uses_of(program: str) -> list[str]:
    """`program …` in shell blocks and between backquotes of all READMEs."""
    found: list[str] = []
    for file in READMES:
        inline = re.findall(
            r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", file.read_text("utf-8"), flags=re.M | re.S)
        )
        found += [text for text in [*shell_lines(file), *inline] if text.startswith(f"{program} ")]
    return sorted(set(found))


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster(brokers=3) as cluster:
        yield cluster


@pytest.mark.parametrize("file", READMES[:2], ids=["project", "clients"])
def test_the_shell_commands_work(file: Path, cluster: Cluster, tmp_path: Path) -> None:
    runnable = [line for line in shell_lines(file) if not line.startswith(ELSEWHERE)]
    assert runnable
    (tmp_path / ".ottla").symlink_to(cluster.directory)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("OTTLA_")},
        "OTTLA_BOOTSTRAP": cluster.bootstrap,
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
    }
    for line in runnable:
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", line.replace(".venv/bin/", f"{BIN}/")],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=SECONDS_MAX,
            check=False,
        )
        assert done.returncode == 0, (line, done.stdout, done.stderr)


def test_the_make_targets_exist() -> None:
    made = {target for use in uses_of("make") for target in use.split("#")[0].split()[1:2]}
    assert {"up", "test"} <= made
    for target in made:
        subprocess.run(
            ["make", "-n", target], cwd=ROOT, check=True, capture_output=True, timeout=SECONDS_MAX
        )


@functools.cache
def help_of(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(BIN / command[0]), *command[1:], "--help"],
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "200", "NO_COLOR": "1"},
        timeout=SECONDS_MAX,
        check=False,
    )


def test_named_commands_and_options_exist() -> None:
    uses = uses_of("ottla") + uses_of("ottla-server")
    assert len(uses) >= 8
    for use in uses:
        words = shlex.split(re.sub(r"[\[\]…]", " ", use.replace("\\|", "|").partition("|")[0]))
        leading = list(itertools.takewhile(lambda word: re.fullmatch("[a-z-]+", word), words))
        names = [word for word in leading if not word.startswith("-")]
        for command in (names[:3], names[:2], names[:1]):
            shown = help_of(*command)
            if shown.returncode == 0:
                break
        assert shown.returncode == 0, use
        assert len(command) >= 2 or command == ["ottla-server"] or words[1].startswith("-"), use
        for option in [word for word in words if word.startswith("-")]:
            assert re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", shown.stdout), (
                use,
                option,
            )


def test_the_python_examples_run(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTTLA_BOOTSTRAP", cluster.bootstrap)
    examples = [block for file in READMES for block in blocks(file, "python")]
    assert len(examples) >= 2
    for example in examples:
        names: dict[str, object] = {"confluent_kafka": confluent_kafka, "__name__": "example"}
        exec(compile(example, "README", "exec"), names)
        for name, test in names.items():
            if name.startswith("test_") and callable(test):
                test(cluster)


def test_the_settings_file_is_valid(tmp_path: Path) -> None:
    (example,) = blocks(READMES[0], "toml")
    settings = example.replace('"…"', '"AAAAAAAAAAAAAAAAAAAAAQ"')
    assert tomllib.loads(settings)
    file = tmp_path / "node.toml"
    file.write_text(settings, "utf-8")
    assert validate(load_node_settings(str(file), {}).settings) == []


def test_links_between_files_lead_somewhere() -> None:
    for file in READMES:
        for link in re.findall(r"\]\(([^)#:]+)\)", file.read_text("utf-8")):
            assert (file.parent / link).exists(), link


def test_the_fixture_works_in_the_project_of_a_user(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nottla_brokers = 1\n")
    pytester.makepyfile(
        """
        def test_ready(ottla_cluster):
            assert ottla_cluster.running == [1]

        def test_is_the_same_cluster_for_all(ottla_cluster):
            assert ottla_cluster.bootstrap == ottla_cluster.address(1)
        """
    )
    pytester.runpytest_subprocess().assert_outcomes(passed=2)
