"""What a run is asked with, beside the goal: the gates, and what Azure cannot tell of the machines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from asr_migrate.domain.gates import OPEN, Gates
from asr_migrate.domain.lifecycle import AzureVm, Goal, Observation, Stage
from asr_migrate.domain.machine import Machine
from asr_migrate.engine.port import Prober
from asr_migrate.engine.reads import Reads
from asr_migrate.engine.track import Track

PROBE_AGAIN_S = 30.0


@dataclass(frozen=True)
class Asking:
    """``quiesced_at`` is by machine: when its services were stopped. ``prober`` asks a machine's probes in Azure."""

    gates: Gates = OPEN
    quiesced_at: Mapping[str, datetime] = field(default_factory=dict)
    prober: Prober | None = None

    def with_known(self, machine: Machine, seen: Observation) -> Observation:
        """Return what was seen of a machine together with what is known of it."""
        quiesced_at = self.quiesced_at.get(machine.name)
        return replace(seen, quiesced_at=quiesced_at) if quiesced_at else seen

    async def with_probes(self, track: Track, seen: Observation, reads: Reads, now_s: float) -> Observation:
        """Return what was seen with whether the probes pass, where a gate asks for it: after a test or a failover.

        A VM that was just made still boots, so probes that fail are asked again, twice a minute at most; the gate says
        for how long. Once they have passed they are not asked again in this run.
        """
        vm, prober = self._to_probe(track, seen), self.prober
        if vm is None or prober is None:
            return seen
        due = track.probed_at_s is None or now_s - track.probed_at_s >= PROBE_AGAIN_S
        if not track.probed and due:
            track.probed_at_s = now_s
            track.probed = await reads(lambda: prober.passed(track.machine, vm))
            track.probe_failures = () if track.probed else prober.failures_of(track.machine, vm)
        return replace(seen, probed=track.probed, probe_failures=track.probe_failures)

    def _to_probe(self, track: Track, seen: Observation) -> AzureVm | None:
        """Return the VM whose probes are to be asked now, None when there is none."""
        if not self.gates.probes or seen.busy:
            return None
        if track.goal is Goal.TEST_RUNNING and seen.stage is Stage.TEST_RUNNING:
            return seen.test_vm
        moved = track.goal in (Goal.FAILED_OVER, Goal.MIGRATED) and seen.stage is Stage.FAILED_OVER
        return seen.vm if moved else None
