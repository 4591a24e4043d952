"""Starting other programs and seeing them through."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from asr_migrate.domain.errors import SetupError


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


def stream(arguments: Sequence[str], environment: Mapping[str, str], folder: Path | None = None) -> int:
    """Run a program, its output on ours, and return its exit code; a signal's number is added to 128.

    ``folder`` is where it runs, None is here. SIGTERM and SIGHUP are passed on to it, and a SIGINT that did not come
    from the terminal: a Ctrl-C reaches the program by itself. We wait for it to end in its own way, so that it can say
    where it stands.
    """
    with subprocess.Popen(list(arguments), env=dict(environment), cwd=folder) as process, passed_on(process):
        code = process.wait()
    return code if code >= 0 else 128 - code


@contextmanager
def passed_on(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Pass the signals that ask us to stop on to ``process`` for the length of a block."""

    def forward(number: int, _frame: object) -> None:
        from_terminal = number == signal.SIGINT and sys.stdin is not None and os.isatty(0)
        if process.returncode is None and not from_terminal:
            process.send_signal(number)

    before = {number: signal.signal(number, forward) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def listen(arguments: Sequence[str], environment: Mapping[str, str], folder: Path) -> tuple[int, str]:
    """Run a program and return its exit code and what it printed, errors among the rest."""
    done = subprocess.run(
        list(arguments),
        env=dict(environment),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def failed(program: str, code: int, output: str, doing: str) -> SetupError:
    """Return the error of a program that failed, with the end of its output. ``doing`` begins the sentence."""
    said = "\n".join(output.strip().splitlines()[-10:])
    return SetupError(
        f"{doing}: {Path(program).name} ended with {code}",
        code="ProgramFailed",
        cause=said or "it printed no error",
        remedy="Correct what it names, then try again.",
    )


def capture(arguments: Sequence[str], environment: Mapping[str, str], folder: Path, doing: str) -> str:
    """Run a program and return what it printed.

    Raises SetupError, with the end of its error output, when it fails. ``doing`` begins the sentence.
    """
    done = subprocess.run(
        list(arguments), env=dict(environment), cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise failed(arguments[0], done.returncode, done.stderr, doing)
    return done.stdout
