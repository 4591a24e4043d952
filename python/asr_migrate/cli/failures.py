"""What failed in a run, and which hosts took part: read from what the callback wave_progress left in its folder."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asr_migrate.domain.errors import SetupError

NAMED = 3


@dataclass(frozen=True)
class Failed:
    """One task that failed on one host. ``message`` is what it said; ``code``, ``cause`` and ``remedy`` may be None."""

    host: str
    task: str
    message: str
    code: str | None = None
    cause: str | None = None
    remedy: str | None = None

    @property
    def why(self) -> str:
        """The message, with the code and the cause where it does not say them."""
        code = f" [{self.code}]" if self.code and self.code not in self.message else ""
        cause = f" Cause: {self.cause}" if self.cause and self.cause not in self.message else ""
        return f"{self.message}{code}{cause}"

    def as_dict(self) -> dict[str, str | None]:
        return {
            "host": self.host,
            "task": self.task,
            "message": self.message,
            "code": self.code,
            "cause": self.cause,
            "remedy": self.remedy,
        }


def read(folder: Path) -> list[Failed]:
    """Return what failed in the run of this folder, in order; what only repeats an earlier failure is left out."""
    found: list[Failed] = []
    for path in sorted(folder.glob("failed-*.json")):
        one = _failed(json.loads(path.read_text(encoding="utf-8")))
        if not any(earlier.message in one.message for earlier in found):
            found.append(one)
    return found


def _failed(told: Mapping[str, Any]) -> Failed:
    error = told.get("error") or {}
    return Failed(
        host=str(told["host"]),
        task=str(told["task"]),
        message=" ".join(str(told["msg"]).split()),
        code=error.get("code"),
        cause=error.get("cause"),
        remedy=error.get("remedy"),
    )


def raised(failures: Iterable[Failed], doing: str) -> SetupError:
    """Return the error of a run that ended because of ``failures``, of which there is one at least.

    ``doing`` begins the sentence.
    """
    first, *others = failures
    more = [f"{one.host}: {one.why}" for one in others[:NAMED]]
    if left := len(others) - len(more):
        more.append(f"and {left} more")
    causes = [first.cause if first.cause and first.cause not in first.message else f"task: {first.task}", *more]
    return SetupError(
        f"{doing}: {first.host}: {first.message}",
        code=first.code or "TaskFailed",
        cause="\n".join(causes),
        remedy=first.remedy or "Correct what it names, then try again.",
    )


def require_hosts(folder: Path, doing: str) -> None:
    """Raise SetupError when a run that ended well had no host at all to work on."""
    left = [json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("hosts-*.json")]
    if left and not any(told["hosts"] for told in left):
        raise SetupError(
            f"{doing}: the inventory has no host for it, so nothing was done",
            code="NoHosts",
            cause="The groups wave_* (or appliances, or what asr_waves and asr_appliances name) are empty",
            remedy="Look at it: ansible-inventory -i INVENTORY --graph. A source of it may need credentials.",
        )
