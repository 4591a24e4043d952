"""Rules of the house that no linter knows."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TRACKED = subprocess.run(
    ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
    cwd=ROOT,
    capture_output=True,
    text=True,
    check=True,
).stdout.split()
SOURCES = [name for name in TRACKED if name.endswith((".py", ".yml", ".sh")) and (ROOT / name).is_file()]
PYTHON = [name for name in SOURCES if name.startswith("python/") and name.endswith(".py")]

SIDE_BY_SIDE = ("tests/unit/", "tests/scenarios/", "tests/faults/", "tests/contract/", "molecule/")
#: what a test's network on loopback begins with, 127.0.0 apart, where free ports are taken
LOOPBACK = re.compile(r"\b127\.(?!0\.0\b)\d+\b")

#: calls that read a clock or wait; only the packages' own clock.py may use them
CLOCK_CALLS = {
    ("time", "time"),
    ("time", "monotonic"),
    ("time", "sleep"),
    ("time", "perf_counter"),
    ("asyncio", "sleep"),
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
}


def clock_calls(name: str) -> list[str]:
    tree = ast.parse((ROOT / name).read_text())
    return [
        f"{name}:{node.lineno} {node.value.id}.{node.attr}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and (node.value.id, node.attr) in CLOCK_CALLS
    ]


def test_only_the_two_clocks_know_the_time():
    clocks = {"python/asr_migrate/clock.py", "python/asr_lab/clock.py"}
    assert [call for name in PYTHON if name not in clocks for call in clock_calls(name)] == []


def test_no_source_file_is_longer_than_400_lines():
    assert {name: n for name in SOURCES if (n := len((ROOT / name).read_text().splitlines())) > 400} == {}


def test_tests_do_not_sleep_or_patch():
    words = ("time.sleep(", "mock.patch(", "monkeypatch.setattr(time")
    this = Path(__file__).relative_to(ROOT).as_posix()
    found = [
        f"{name}: {word}"
        for name in SOURCES
        if name.startswith("tests/") and name != this
        for word in words
        if word in (ROOT / name).read_text()
    ]
    assert found == []


def test_targets_that_run_at_the_same_time_have_networks_of_their_own():
    """``make test`` runs several targets side by side; two labs at one address would take each other's requests."""
    users: dict[str, set[str]] = {}
    for name in SOURCES:
        target = next((one for one in SIDE_BY_SIDE if name.startswith(one)), None)
        for network in LOOPBACK.findall((ROOT / name).read_text()) if target else ():
            users.setdefault(network, set()).add(target)
    assert len(users) > len(SIDE_BY_SIDE)
    assert {network: sorted(targets) for network, targets in users.items() if len(targets) > 1} == {}


@pytest.mark.parametrize("folder", ["playbooks", "roles"])
def test_playbooks_and_roles_see_no_azure_json(folder):
    words = ("providerSpecificDetails", "replicationProtectedItems", "allowedOperations", "instanceType")
    found = [
        f"{name}: {word}"
        for name in SOURCES
        if name.startswith(folder)
        for word in words
        if word in (ROOT / name).read_text()
    ]
    assert found == []
