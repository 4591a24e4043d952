"""Starting other programs and seeing them through."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
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

    ``folder`` is where it runs, None is here. A Ctrl-C reaches the program too, as it does any program of the terminal;
    we wait for it to end in its own way, so that it can say where it stands.
    """
    with subprocess.Popen(list(arguments), env=dict(environment), cwd=folder) as process:
        while True:
            try:
                code = process.wait()
            except KeyboardInterrupt:
                continue
            return code if code >= 0 else 128 - code


def capture(arguments: Sequence[str], environment: Mapping[str, str], folder: Path, doing: str) -> str:
    """Run a program and return what it printed.

    Raises SetupError, with the end of its error output, when it fails. ``doing`` begins the sentence.
    """
    done = subprocess.run(
        list(arguments), env=dict(environment), cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        said = "\n".join(done.stderr.strip().splitlines()[-10:])
        raise SetupError(
            f"{doing}: {Path(arguments[0]).name} ended with {done.returncode}",
            code="ProgramFailed",
            cause=said or "it printed no error",
            remedy="Correct what it names, then try again.",
        )
    return done.stdout
