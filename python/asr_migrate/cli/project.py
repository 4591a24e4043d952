"""Where the project is, where its lab keeps its state, and the environment that its programs run in."""

import os
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from asr_migrate.domain.errors import InputError, SetupError

STATE_VARIABLE = "ASR_LAB_STATE"


@dataclass(frozen=True)
class Project:
    """A folder that holds the Ansible collection asr.migrate: the clone or the unpacked release."""

    root: Path

    @property
    def state(self) -> Path:
        """The lab's state directory: ASR_LAB_STATE, else .lab in the project."""
        given = os.environ.get(STATE_VARIABLE)
        return Path(given).resolve() if given else self.root / ".lab"

    @property
    def rehearsal_inventory(self) -> Path:
        return self.root / "inventory" / "rehearsal"

    def playbook(self, name: str) -> Path:
        """Return the playbook that the user means: a path, or the bare name of one in playbooks/.

        Raises InputError naming the playbooks that there are.
        """
        for candidate in (Path(name), self.root / "playbooks" / name, self.root / "playbooks" / f"{name}.yml"):
            if candidate.is_file():
                return candidate.resolve()
        known = ", ".join(sorted(path.stem for path in (self.root / "playbooks").glob("*.yml"))) or "none"
        raise InputError("PLAYBOOK", name, f"there is no playbook {name}", remedy=f"Give a path or one of: {known}.")

    def environment(self) -> dict[str, str]:
        """Return the environment for Ansible: ours, with this project's settings and this Python's programs first."""
        found = dict(os.environ)
        found["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), found.get("PATH", os.defpath)])
        found.setdefault("ANSIBLE_CONFIG", str(self.root / "ansible.cfg"))
        found.setdefault("ANSIBLE_HOME", str(self.root / ".cache" / "ansible"))
        return found

    def lab_environment(self) -> dict[str, str]:
        """Return the same with what the running lab exports.

        Raises SetupError when no lab was started.
        """
        file, running = self.state / "env", self.state / "pid"
        if not (file.is_file() and running.is_file()):
            raise SetupError(
                f"the lab is not running in {self.state}",
                code="LabNotRunning",
                cause="A running lab keeps the files env and pid there",
                remedy="Start it: asr-migrate lab up",
            )
        return self.environment() | exports(file.read_text(encoding="utf-8"))


def exports(text: str) -> dict[str, str]:
    """Return what ``export NAME=VALUE`` lines set; values may be quoted as a shell does it, other lines are ignored."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        words = shlex.split(line, comments=True)
        if words and words[0] == "export":
            found.update(dict(pair for word in words[1:] if len(pair := word.split("=", 1)) == 2))
    return found


def _is_project(folder: Path) -> bool:
    manifest = folder / "galaxy.yml"
    if not manifest.is_file():
        return False
    loaded = yaml.safe_load(manifest.read_text(encoding="utf-8"))
    return isinstance(loaded, Mapping) and (loaded.get("namespace"), loaded.get("name")) == ("asr", "migrate")


def find(start: Path) -> Project:
    """Return the project that ``start`` or one of its parents holds.

    Raises SetupError when none does.
    """
    for folder in (start.resolve(), *start.resolve().parents):
        if _is_project(folder):
            return Project(folder)
    raise SetupError(
        f"{start} is not inside the asr-migrate project",
        code="NoProject",
        cause="neither this folder nor one above it holds the galaxy.yml of asr.migrate",
        remedy="Change to the folder that holds README.md, galaxy.yml and playbooks/, then try again.",
    )
