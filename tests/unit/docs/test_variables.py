"""docs/variables.md names every variable that a user may set, and no other."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
NAME = re.compile(r"\basr_[a-z][a-z0-9_]*\b")
INVENTORY_GROUPS = {"asr_linux", "asr_windows"}
PLUGIN_NAMES = {"asr_migrate", "asr_lab"}


def names(text: str) -> set[str]:
    return set(NAME.findall(text)) - PLUGIN_NAMES


def read_by_the_collection() -> set[str]:
    """Return the variables that playbooks, roles' defaults, vars and tasks, and filters read."""
    files = [
        *ROOT.glob("playbooks/*.yml"),
        *(path for part in ("defaults", "vars", "tasks") for path in ROOT.glob(f"roles/*/{part}/*.yml")),
        *ROOT.glob("plugins/filter/*.py"),
    ]
    code = "\n".join(line for path in files for line in path.read_text().splitlines() if not line.startswith("#"))
    return names(code) - INVENTORY_GROUPS


def documented() -> set[str]:
    rows = [line for line in (ROOT / "docs" / "variables.md").read_text().splitlines() if line.startswith("| `")]
    return names("\n".join(row.split("|")[1] for row in rows))


def test_every_variable_that_is_read_is_documented_and_the_other_way_round():
    assert documented() == read_by_the_collection()


def test_the_example_inventory_sets_no_unknown_variable():
    example = ROOT / "inventory" / "example"
    keys = {
        name
        for path in example.rglob("*.yml")
        for name in re.findall(r"^ *(asr_[a-z0-9_]+):", path.read_text(), re.MULTILINE)
    }
    assert keys - INVENTORY_GROUPS <= documented()
