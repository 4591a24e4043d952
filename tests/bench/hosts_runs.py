"""Runs one play as a person would and measures it: time inside the play, the whole command's time, round trips."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import yaml

ROOT = Path(__file__).resolve().parents[2]
PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")
CALLBACKS = Path(__file__).with_name("hosts_callbacks")
SOURCE_HOST = "asr.migrate.source_host"
#: Counts the connections' own round trips: each start of ssh or sftp is one.
COUNTING = """#!/bin/sh
printf x >>"$HOSTS_COUNT"
exec {program} "$@"
"""


@dataclass(frozen=True)
class Run:
    """One measured run; times in wall seconds. ``claimed`` are the round trips that the results tell of, if any."""

    play_s: float
    whole_s: float
    tasks: int
    changed: int
    round_trips: int
    claimed: int | None


@dataclass(frozen=True)
class Way:
    """One way to prepare a host: its name for people, its tasks, and settings of Ansible as environment variables."""

    name: str
    tasks: Sequence[Mapping[str, Any]]
    handlers: Sequence[Mapping[str, Any]] = ()
    settings: Mapping[str, str] | None = None


class PlayFailed(Exception):
    """The play did not go well; the text is what Ansible printed last."""


class Runner:
    """Runs plays against one host in a directory of its own; ``near`` comes before the command line."""

    def __init__(self, directory: Path, host: str, variables: Mapping[str, Any], near: Sequence[str] = ()) -> None:
        self._directory = directory
        self._near = list(near)
        self._host = host
        programs = {name: self._counting(name) for name in ("ssh", "sftp", "scp")}
        connection = {f"ansible_{name}_executable": str(path) for name, path in programs.items()}
        inventory = {"all": {"hosts": {host: {**variables, **connection}}}}
        (directory / "hosts.yml").write_text(yaml.safe_dump(inventory))

    def run(self, way: Way) -> Run:
        """Run a way's play and measure it. Raises PlayFailed."""
        play: dict[str, Any] = {"name": way.name, "hosts": "all", "gather_facts": False, "tasks": list(way.tasks)}
        if way.handlers:
            play["handlers"] = list(way.handlers)
        (self._directory / "play.yml").write_text(yaml.safe_dump([play], sort_keys=False, width=1000))
        told = {name: self._directory / name for name in ("times.json", "count", "log")}
        for path in told.values():
            path.unlink(missing_ok=True)
        environment = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
        environment |= {
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_CALLBACK_PLUGINS": str(CALLBACKS),
            "ANSIBLE_CALLBACKS_ENABLED": "hosts_times",
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(self._directory / "cp"),
            "ANSIBLE_NOCOLOR": "1",
            # The log is where the WinRM connection tells of each command that it starts.
            "ANSIBLE_LOG_PATH": str(told["log"]),
            "ANSIBLE_LOG_VERBOSITY": "5",
            "HOSTS_TIMES": str(told["times.json"]),
            "HOSTS_COUNT": str(told["count"]),
            **(way.settings or {}),
        }
        began = time.time()
        done = subprocess.run(
            [*self._near, str(PLAYBOOK), "-i", str(self._directory / "hosts.yml"), str(self._directory / "play.yml")],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        whole_s = time.time() - began
        if done.returncode:
            raise PlayFailed(f"{way.name} on {self._host}:\n{done.stdout[-6000:]}")
        times = json.loads(told["times.json"].read_text())
        tasks = [task for task in times["tasks"] if task["status"] != "skipped"]
        claims = [task["round_trips"] for task in tasks if task["round_trips"] is not None]
        return Run(
            play_s=times["ended"] - times["began"],
            whole_s=whole_s,
            tasks=len(tasks),
            changed=sum(task["changed"] for task in tasks),
            round_trips=self._counted(told),
            claimed=sum(claims) if claims else None,
        )

    def _counted(self, told: Mapping[str, Path]) -> int:
        ssh = told["count"].stat().st_size if told["count"].exists() else 0
        return ssh + told["log"].read_text(errors="replace").count("WINRM EXEC")

    def _counting(self, program: str) -> Path:
        path = self._directory / program
        path.write_text(COUNTING.format(program=f"/usr/bin/{program}"))
        path.chmod(0o700)
        return path


class Place(Protocol):
    """A fresh host."""

    runner: Runner

    def state(self) -> str:
        """Return what all ways must leave alike."""
        ...
