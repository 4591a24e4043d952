"""The profile ``source`` on Windows: a machine that is to be replicated."""

from __future__ import annotations

from dataclasses import replace

from asr_migrate.domain.errors import AsrMigrateError
from asr_migrate.hosts import windows_changes, windows_checks, windows_mobility, windows_probe, windows_restore
from asr_migrate.hosts import windows_text as text
from asr_migrate.hosts.mobility_want import State
from asr_migrate.hosts.plan import Answer, Exchange, Plan, Reading
from asr_migrate.hosts.prior import Prior
from asr_migrate.hosts.want import SourceWant
from asr_migrate.hosts.windows_source_facts import SourceFacts, read


class WindowsSource:
    """The profile ``source`` on Windows; what it changes, it can put back."""

    def __init__(self, want: SourceWant) -> None:
        self._want = want
        self._mobility = windows_mobility.WindowsMobility(want.mobility)
        self.settle_s = 600.0

    @property
    def secrets(self) -> tuple[str, ...]:
        return self._mobility.secrets

    def probe(self) -> Exchange:
        mobility = windows_mobility.probe_lines(self._want.mobility)
        return text.exchange("probe", windows_probe.source(), mobility, windows_probe.reach(self._want.reach))

    def inspect(self, priors: tuple[Prior, ...]) -> Exchange:
        del priors  # every probe asks for all that can be put back
        return self.probe()

    def read(self, answer: Answer) -> Reading:
        seen = read(answer, self._want.reach)
        return Reading(seen.as_dict(), seen, self._mobility.private(seen.mobility), seen.identity)

    def plan(self, reading: Reading) -> Plan:
        """Decide; when the Mobility service is to go, that is all that is done and asked for."""
        seen = reading.of(SourceFacts)
        preparing = self._want.mobility.state is State.PRESENT
        judged = windows_checks.findings if preparing else windows_checks.installer_findings
        steps = windows_changes.steps(seen, self._want) if preparing else []
        work = self._mobility.work(seen.windows.host_name, seen.windows.os_name, seen.mobility)
        lines = [*windows_changes.text_of(steps), *work.lines]
        change = text.exchange("change", lines, contents=work.contents, judge=self._judge)
        return Plan(
            findings=(*judged(seen, self._want), *work.findings),
            changes=(*(step.change for step in steps), *work.changes),
            exchanges=(replace(change, notes=work.notes),) if lines else (),
            cleanup=work.cleanup,
            missing=work.missing,
            prior=tuple(prior for step in steps for prior in step.prior),
        )

    def _judge(self, answer: Answer) -> AsrMigrateError | None:
        return windows_changes.judge(answer) or self._mobility.judge(answer)

    def restoration(
        self, reading: Reading, priors: tuple[Prior, ...], *, force: bool = False, only_push: bool = False
    ) -> Plan:
        return windows_restore.restoration(reading.of(SourceFacts), priors, force=force, only_push=only_push)
