"""A lab of its own for a story, and playbooks run against it as a person would."""

import json
import os
import re
import shlex
import shutil
import ssl
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")


@dataclass(frozen=True)
class Ran:
    """One finished playbook run."""

    code: int
    output: str

    def recap(self) -> dict[str, dict[str, int]]:
        """Return Ansible's recap as {host: {"ok": n, "changed": n, ...}}."""
        rows = re.findall(r"^(\S+)\s+: (ok=.*)$", self.output.split("PLAY RECAP")[-1], re.MULTILINE)
        return {host: {key: int(n) for key, n in re.findall(r"(\w+)=(\d+)", row)} for host, row in rows}


class LabProcess:
    """``python -m asr_lab`` on a loopback network of its own, with its state in ``state``."""

    def __init__(self, state: Path, net: str, speed: float = 240.0, reports: Path | None = None) -> None:
        self.state, self.net, self.speed = state, net, speed
        self.reports = reports or state / "reports"
        self.environment: dict[str, str] = {}

    def __enter__(self) -> "LabProcess":
        self._command("up", "--net", self.net, "--speed", str(self.speed))
        for line in (self.state / "env").read_text().splitlines():
            name, _, value = line.removeprefix("export ").partition("=")
            self.environment[name] = shlex.split(value)[0] if value else ""
        return self

    def __exit__(self, *exc: object) -> None:
        self._command("down")

    def _command(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "asr_lab", *arguments, "--state", str(self.state)],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def playbook(self, name: str, *arguments: str) -> Ran:
        """Run one playbook of the project against the lab's inventory."""
        environment = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
        environment |= self.environment | {"ANSIBLE_NOCOLOR": "1", "PYTHONUNBUFFERED": "1"}
        reports = ["-e", f"asr_reports_dir={self.reports}"]
        done = subprocess.run(
            [str(PLAYBOOK), "-i", "inventory/rehearsal", f"playbooks/{name}.yml", *reports, *arguments],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return Ran(done.returncode, done.stdout)

    def admin(self, method: str, path: str, body: Any = None) -> Any:
        """Ask the lab's /_lab administration."""
        request = urllib.request.Request(
            f"https://{self.net}.0.1:8443/_lab/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        trust = ssl.create_default_context(cafile=str(self.state / "ca.pem"))
        with urllib.request.urlopen(request, context=trust) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def writes(self) -> list[dict[str, Any]]:
        """Return the writes that reached the lab's Azure since the log was last emptied."""
        return list(self.admin("GET", "log?writes=1")["entries"])

    def forget_log(self) -> None:
        self.admin("DELETE", "log")

    def secrets(self) -> dict[str, str]:
        """Return the lab's secrets by name: whole files, and of vault credentials the parts that open the vault."""
        found = {}
        for path in (self.state / "secrets").rglob("*"):
            if path.suffix == ".VaultCredentials":
                parts = re.findall(r"<(ManagementCert|ChannelIntegrityKey)>([^<]+)<", path.read_text())
                found |= {f"{path.name} {name}": value for name, value in parts}
            elif path.is_file():
                found[path.name] = path.read_text().strip()
        keys = {name: self.state / "ssh" / name for name in ("id_ed25519", "id_rsa")}
        return found | {f"ssh key {name}": path.read_text().splitlines()[1] for name, path in keys.items()}


@contextmanager
def directory() -> Iterator[Path]:
    """A directory with a short name, since ssh limits control sockets to about 100 characters; removed afterwards."""
    path = Path(tempfile.mkdtemp(prefix="asr-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def fresh_lab(net: str, speed: float = 240.0) -> Iterator[LabProcess]:
    """A lab that began just now, stopped and removed afterwards."""
    with directory() as state, LabProcess(state, net, speed) as running:
        yield running
