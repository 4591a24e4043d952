"""What probing an Azure VM found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ProbeResult:
    """Everything that did not answer as it should, each in words that name the probe; empty when all passed."""

    failures: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        return not self.failures
