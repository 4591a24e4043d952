"""A simulated Linux host as a set of namespaces, seen from outside: start, run commands, read and write files, stop."""

import json
import os
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PACKAGE_ROOT = str(Path(__file__).parents[3])
START = f"import sys; sys.path.insert(0, {PACKAGE_ROOT!r}); from asr_lab.hosts.linux import holder; holder.main()"
LOGIN_PATH = "/usr/local/bin:/usr/bin:/bin"
ROOT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class NamespacesRefused(Exception):
    """This machine does not let the lab make user namespaces; the text says how to allow them."""


@dataclass(frozen=True)
class Session:
    """Who runs a command: the login name and its home directory."""

    user: str

    @property
    def environment(self) -> dict[str, str]:
        """What sshd puts into the environment of a session without a terminal."""
        root = self.user == "root"
        return {
            "HOME": "/root" if root else f"/home/{self.user}",
            "USER": self.user,
            "LOGNAME": self.user,
            "SHELL": "/bin/bash",
            "PATH": ROOT_PATH if root else LOGIN_PATH,
            "LC_ALL": "C",
        }


class Sandbox:
    """One host's namespaces. ``directory`` is where its root is mounted and its file tree was laid (``tree``)."""

    def __init__(self, name: str, address: str, directory: Path, *, user: str, hide: Sequence[str] = ()) -> None:
        self.name = name
        self._root = directory / "root"
        self._plan = {
            "name": name,
            "address": address,
            "networks": [["10.20.0.0", 24]],
            "root": str(self._root),
            "tree": str(directory / "tree"),
            "hide": list(hide),
            "user": user,
        }
        self._user = user
        self._holder: subprocess.Popen[bytes] | None = None
        self._pid = 0
        self._user_pid = 0
        self._lock = threading.Lock()

    def begin(self) -> None:
        """Start to build the host; ``finish`` waits for it. In two steps so that many hosts are built at once."""
        self._root.mkdir(parents=True, exist_ok=True)
        self._holder = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", START],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
            start_new_session=True,
        )
        self._tell(self._plan)

    def finish(self) -> None:
        """Wait until the host is built. Raises NamespacesRefused with the remedy."""
        told: dict[str, Any] = {}
        while not {"pid", "user_pid"} <= told.keys():
            line = self._listen()
            if not line or "error" in line:
                raise NamespacesRefused(_remedy(line.get("error") or self._last_words()))
            told |= line
        self._pid, self._user_pid = told["pid"], told["user_pid"]

    def stop(self) -> None:
        """End every process of the host; its files are gone with them."""
        if self._holder:
            if self._holder.stdin:
                self._holder.stdin.close()
            self._holder.wait(timeout=10)
            if self._holder.stdout:
                self._holder.stdout.read()
            self._holder = None

    def path(self, inside: str) -> Path:
        """Return where the lab finds the host's file ``inside`` (absolute; no absolute symbolic links on the way)."""
        return Path(f"/proc/{self._pid}/root{inside}")

    def read(self, inside: str) -> str | None:
        """Return the text of a file of the host, or None when it is absent."""
        try:
            return self.path(inside).read_text("utf-8", "replace")
        except (FileNotFoundError, NotADirectoryError):
            return None
        except PermissionError:  # the host's root may read what the lab's user may not: a mode of 0000
            return self.run(f"cat {shlex.quote(inside)}").stdout.decode(errors="replace")

    def write(self, inside: str, text: str, mode: int = 0o644) -> None:
        """Write a file of the host as its root."""
        target = self.path(inside)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")
        target.chmod(mode)

    def argv(self, session: Session, command: str) -> list[str]:
        """Return the process to start for ``command`` (a line for the shell) in a session of this host."""
        entry = ["nsenter", "-t", str(self._pid), "-U", "--preserve-credentials", "-m", "-u", "-p", "-n", "-r", "--"]
        if session.user != "root":
            entry += ["/usr/bin/nsenter", "-t", str(self._user_pid), "-m", "-r", "--"]
        environment = [f"{name}={value}" for name, value in session.environment.items()]
        home = shlex.quote(session.environment["HOME"])
        return [*entry, "/usr/bin/env", "-i", *environment, "/bin/sh", "-c", f"cd {home}\n{command}"]

    def run(self, command: str, *, user: str = "root", stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """Run a command line to its end and return exit code, output and errors."""
        return subprocess.run(
            self.argv(Session(user), command), input=stdin, capture_output=True, check=False, timeout=120
        )

    def open_ports(self, ports: Iterable[tuple[str, int]]) -> None:
        """Make exactly these ports accept connections inside the host; every other refuses."""
        with self._lock:
            self._tell([list(port) for port in ports])
            self._listen()

    def open_requests(self) -> int:
        """Return a descriptor of the pipe by which programs of the host call the lab, ready for reading."""
        return os.open(self.path("/run/lab/requests"), os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def answer(self, inside: str, text: str) -> None:
        """Answer a request on the pipe that the program opened for it."""
        pipe = os.open(self.path(inside), os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(pipe, "w", encoding="utf-8") as out:
            out.write(text)

    def _tell(self, message: Mapping[str, Any] | list[Any]) -> None:
        assert self._holder
        assert self._holder.stdin
        self._holder.stdin.write(json.dumps(message).encode() + b"\n")
        self._holder.stdin.flush()

    def _listen(self) -> dict[str, Any]:
        assert self._holder
        assert self._holder.stdout
        line = self._holder.stdout.readline()
        answer: dict[str, Any] = json.loads(line) if line else {}
        return answer

    def _last_words(self) -> str:
        assert self._holder
        assert self._holder.stderr
        lines = self._holder.stderr.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else "the starter ended without a word"


def _remedy(error: str) -> str:
    """Return one sentence: what the kernel refused and the setting which allows it on this machine."""
    settings = {
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns": "kernel.apparmor_restrict_unprivileged_userns=0",
        "/proc/sys/kernel/unprivileged_userns_clone": "kernel.unprivileged_userns_clone=1",
    }
    setting = next((value for file, value in settings.items() if Path(file).exists()), "user.max_user_namespaces=15000")
    return f"this machine allows no user namespaces ({error}); allow them with: sudo sysctl -w {setting}"
