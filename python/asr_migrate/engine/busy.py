"""Conflicts: Site Recovery says that something else is at work (409). It is asked again, but not for ever."""

from __future__ import annotations

from asr_migrate.clock import Clock
from asr_migrate.domain.errors import ServiceError, lookup

CONFLICT = 409
PATIENCE_S = 900.0
CODE = "StillBusy"


class Busy:
    """Since when each target of a run (a machine, a recovery plan) has been answered with nothing but conflicts."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since_s: dict[str, float] = {}

    def again(self, target: str, error: ServiceError, words: str) -> str:
        """Return what is waited for after ``error``, an answer to a request that was not begun.

        ``words`` is what was asked for. Raises ServiceError once ``target`` has had conflicts for ``PATIENCE_S``.
        """
        if error.status == CONFLICT:
            now_s = self._clock.monotonic()
            busy_s = now_s - self._since_s.setdefault(target, now_s)
            if busy_s >= PATIENCE_S:
                raise self._still(target, error, words, busy_s)
        return f"Azure does not take it now ({error.code}): {words}"

    def over(self, target: str) -> None:
        """Note that ``target`` was asked without a conflict."""
        self._since_s.pop(target, None)

    @staticmethod
    def _still(target: str, error: ServiceError, words: str, busy_s: float) -> ServiceError:
        row = lookup(CODE)
        said = f" [{error.code}]" if error.code else ""
        return ServiceError(
            f"{target}: {words} was refused for {busy_s / 60:.0f} min because another operation is at work",
            code=CODE,
            cause=f"{error.message}{said}",
            remedy=error.remedy or (row.remedy if row else None),
            transient=True,
            status=error.status,
        )
