"""The lab as one background process: start it, find it, end it.

The process holds a lock on the file ``pid`` as long as it lives, so a stale process id is never taken for a lab.
"""

import fcntl
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from asr_lab.lab_state import State

READY = "ready"
FAILED = "failed: "
PROGRESS_VARIABLE = "ASR_LAB_PROGRESS_FD"
GRACE_S = 10.0


class LabFailed(Exception):
    """The lab did not start or did not end; the text says why and what to do."""


def running_pid(state: State) -> int | None:
    """Return the process id of the lab of this state directory, or None when none runs."""
    try:
        with state.pid.open("r+", encoding="ascii") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(file.read() or 0) or None
    except FileNotFoundError:
        pass
    return None


@contextmanager
def holding_pid(state: State) -> Iterator[None]:
    """Hold the pid file of the state directory. Raises LabFailed when another lab holds it."""
    state.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    with state.pid.open("a+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LabFailed(f"another lab runs on {state.directory}; end it with: python -m asr_lab down") from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        try:
            yield
        finally:
            state.pid.unlink(missing_ok=True)


def start(state: State, arguments: list[str], say: Callable[[str], None]) -> None:
    """Start ``python -m asr_lab run`` with these arguments in the background and wait until it is ready.

    ``say`` gets every line of progress. Raises LabFailed with the lab's own reason.
    """
    state.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    reader, writer = os.pipe()
    with _private_log(state.log) as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "asr_lab", "run", "--state", str(state.directory), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[writer],
            env={**os.environ, PROGRESS_VARIABLE: str(writer), "PYTHONPATH": _python_path()},
            start_new_session=True,
        )
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as progress:
        for line in progress:
            words = line.rstrip("\n")
            if words == READY:
                return
            if words.startswith(FAILED):
                child.wait(timeout=GRACE_S)
                raise LabFailed(words.removeprefix(FAILED))
            say(words)
    raise LabFailed(f"the lab ended while it started; see {state.log}")


def stop(state: State) -> bool:
    """End the lab of this state directory; return whether one ran. Raises LabFailed when it does not end."""
    pid = running_pid(state)
    if pid is None:
        return False
    handle = os.pidfd_open(pid)
    try:
        for word in (signal.SIGTERM, signal.SIGKILL):
            signal.pidfd_send_signal(handle, word)
            if _ended(handle):
                return True
    finally:
        os.close(handle)
    raise LabFailed(f"process {pid} does not end; see {state.log}")


def announce() -> Callable[[str], None]:
    """Return how the lab tells its starter about progress; prints when it was started by hand."""
    number = os.environ.pop(PROGRESS_VARIABLE, "")
    if not number:
        return lambda line: print(line, flush=True)
    pipe = os.fdopen(int(number), "w", encoding="utf-8")

    def tell(line: str) -> None:
        # Whoever started the lab may be gone; the lab stays.
        with suppress(BrokenPipeError):
            pipe.write(line + "\n")
            pipe.flush()
            if line == READY or line.startswith(FAILED):
                pipe.close()

    return tell


def _ended(handle: int) -> bool:
    return bool(select.select([handle], [], [], GRACE_S)[0])


@contextmanager
def _private_log(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _python_path() -> str:
    """The package may not be installed: the child finds it where the starter did."""
    here = str(Path(__file__).parents[1])
    return os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH", "")]))
