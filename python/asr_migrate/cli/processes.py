"""Starting other programs and seeing them through."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from asr_migrate.domain.errors import SetupError

TOLD_LINES = 10
#: How Ansible begins an error that no task has.
ERRORS = ("[ERROR]", "ERROR!")

Process = subprocess.Popen[bytes] | subprocess.Popen[str]


class StoppedError(Exception):
    """Somebody asked us to stop while a program ran that only reads, or between two programs."""


@dataclass
class Ended:
    """How a program ended: its exit code (a signal's number added to 128), its output, and who asked it to stop.

    ``asked`` is the number of the signal that asked us to stop while it ran, None when none did.
    """

    code: int = 0
    output: str = ""
    asked: int | None = None


def program(name: str) -> str:
    """Return the path of a program that was installed with this Python.

    Raises SetupError when it is missing.
    """
    path = Path(sys.executable).with_name(name)
    if not path.exists():
        raise SetupError(
            f"{name} is not installed beside {sys.executable}",
            code="MissingProgram",
            cause="asr-migrate was installed without the packages of requirements.txt",
            remedy="Run make setup, then .venv/bin/asr-migrate.",
        )
    return str(path)


def stream(arguments: Sequence[str], environment: Mapping[str, str], folder: Path | None = None) -> Ended:
    """Run a program, its output on ours, and return how it ended.

    ``folder`` is where it runs, None is here. SIGTERM and SIGHUP are passed on to it, and a SIGINT that did not come
    from the terminal: a Ctrl-C reaches the program by itself. We wait for it to end in its own way, so that it can say
    where it stands.
    """
    ended = Ended()
    with subprocess.Popen(list(arguments), env=dict(environment), cwd=folder) as process, passed_on(process, ended):
        _await(process, ended)
    return ended


def _await(process: Process, ended: Ended) -> None:
    code = process.wait()
    ended.code = code if code >= 0 else 128 - code


@contextmanager
def passed_on(process: Process, ended: Ended) -> Iterator[None]:
    """Pass the signals that ask us to stop on to ``process`` for the length of a block, and note them in ``ended``."""

    def forward(number: int, _frame: object) -> None:
        ended.asked = number
        from_terminal = number == signal.SIGINT and sys.stdin is not None and os.isatty(0)
        if process.returncode is None and not from_terminal:
            process.send_signal(number)

    with handled(forward):
        yield


@contextmanager
def handled(handler: Callable[[int, object], None]) -> Iterator[None]:
    """Give the signals that ask us to stop to ``handler`` for the length of a block."""
    before = {number: signal.signal(number, handler) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


@contextmanager
def stoppable() -> Iterator[None]:
    """Raise StoppedError, for the length of a block, at a signal that asks us to stop while no program runs."""

    def stop(_number: int, _frame: object) -> None:
        raise StoppedError

    with handled(stop):
        yield


@contextmanager
def unmoved() -> Iterator[None]:
    """Let the signals that ask us to stop pass, for the length of a block in which the end of a stop is waited for."""
    with handled(lambda _number, _frame: None):
        yield


@contextmanager
def _running(
    arguments: Sequence[str], environment: Mapping[str, str], folder: Path, errors: int
) -> Iterator[tuple[subprocess.Popen[str], Ended]]:
    """Run a program for the length of a block and wait for its end; ``errors`` says where its standard error goes.

    A signal that asks us to stop is passed on to it. Raises StoppedError when it ended because of that.
    """
    ended = Ended()
    with (
        subprocess.Popen(
            list(arguments),
            env=dict(environment),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            errors="replace",
        ) as process,
        passed_on(process, ended),
    ):
        yield process, ended
        _await(process, ended)
    if ended.asked and ended.code:
        raise StoppedError


def listen(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    heard: Callable[[str], None] = lambda _line: None,
) -> Ended:
    """Run a program and return how it ended and what it printed, errors among the rest; ``heard`` gets each line.

    Raises StoppedError when a signal that was passed on ended it.
    """
    lines = []
    with _running(arguments, environment, folder, subprocess.STDOUT) as (process, ended):
        for line in process.stdout or ():
            lines.append(line)
            heard(line.rstrip("\n"))
    ended.output = "".join(lines)
    return ended


def failed(program: str, code: int, output: str, doing: str) -> SetupError:
    """Return the error of a program that failed: from its first error on, else the end of its output.

    ``doing`` begins the sentence.
    """
    lines = output.strip().splitlines()
    first = next((number for number, line in enumerate(lines) if line.startswith(ERRORS)), None)
    said = "\n".join(lines[-TOLD_LINES:] if first is None else lines[first : first + TOLD_LINES])
    return SetupError(
        f"{doing}: {Path(program).name} ended with {code}",
        code="ProgramFailed",
        cause=said or "it printed no error",
        remedy="Correct what it names, then try again.",
    )


def capture(arguments: Sequence[str], environment: Mapping[str, str], folder: Path, doing: str) -> str:
    """Run a program and return what it printed; its warnings are not shown.

    Raises SetupError, quoting it, when it fails, and StoppedError. ``doing`` begins the sentence.
    """
    with _running(arguments, environment, folder, subprocess.PIPE) as (process, ended):
        output, errors = process.communicate()
    if ended.code:
        raise failed(arguments[0], ended.code, errors or output, doing)
    return output
