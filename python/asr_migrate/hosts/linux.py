"""A Linux machine that is to be replicated: what stands in the way, what is changed, and how that is put back.

Its facts are read in ``linux_facts``, its rules stand in ``linux_rules``, its changes in ``linux_edits`` and their way
back in ``linux_restore``.
"""

from __future__ import annotations

from asr_migrate.domain.errors import AsrMigrateError, InputError, SetupError
from asr_migrate.domain.readiness_rule import Finding
from asr_migrate.hosts import checks, linux_edits, linux_facts, linux_files, linux_restore, linux_rules, linux_script
from asr_migrate.hosts.identity import words
from asr_migrate.hosts.linux_edits import Edit
from asr_migrate.hosts.linux_facts import LinuxFacts
from asr_migrate.hosts.linux_mobility import LinuxMobility
from asr_migrate.hosts.mobility import Work
from asr_migrate.hosts.mobility_want import State
from asr_migrate.hosts.plan import Answer, Exchange, Plan, Reading
from asr_migrate.hosts.prior import Prior
from asr_migrate.hosts.sha512_crypt import salt_for, sha512_crypt
from asr_migrate.hosts.want import SourceWant

NO_WORK = Work()


class LinuxSource:
    """The profile ``source`` on Linux. ``name`` is the inventory's name.

    It goes into the salt of root's password, beside the machine's identity.
    """

    def __init__(self, want: SourceWant, name: str) -> None:
        self._want = want
        self._mobility = LinuxMobility(want.mobility)
        self._name, self._root_field = name, ""
        self.settle_s = 600.0

    @property
    def secrets(self) -> tuple[str, ...]:
        return (*self._mobility.secrets, self._want.root_password.get_secret_value(), self._root_field)

    def _hashed(self, seen: LinuxFacts) -> str:
        """Return root's new field of /etc/shadow; empty without a push. It takes long, so it is calculated once."""
        password = self._want.root_password.get_secret_value()
        if self._want.push and password and not self._root_field:
            salt = salt_for(f"{self._name} {words(seen.identity)}", password)
            self._root_field = sha512_crypt(password, salt)
        return self._root_field

    def probe(self) -> Exchange:
        return self._probe(())

    def inspect(self, priors: tuple[Prior, ...]) -> Exchange:
        return self._probe(tuple(prior.name for prior in priors if prior.kind == linux_files.KIND))

    def _probe(self, files: tuple[str, ...]) -> Exchange:
        targets = " ".join(f"{address} {port}" for address, port in self._want.reach)
        script = linux_script.script(
            "probe",
            want_reach=targets,
            want_files="\n".join(files),
            want_work=linux_script.WORK_DIRECTORY,
            want_config_input=self._mobility.wants_config_input,
        )
        return Exchange("probe", linux_script.SHELL, linux_script.to_send(script))

    def read(self, answer: Answer) -> Reading:
        seen = linux_facts.read(answer, self._want.reach)
        return Reading(seen.as_dict(), seen, self._mobility.private(seen.mobility), seen.identity)

    def plan(self, reading: Reading) -> Plan:
        seen = reading.of(LinuxFacts)
        work = self._mobility.work(seen.host_name, seen.os_name, seen.mobility)
        to_stay = self._want.mobility.state is State.PRESENT
        edits = linux_edits.edits(seen, self._want, self._hashed(seen)) if to_stay else []
        change = self._apply(edits, work)
        return Plan(
            findings=(*(self._findings if to_stay else self._of_installer)(seen), *work.findings),
            changes=(*linux_edits.all_changes(edits), *work.changes),
            exchanges=tuple(exchange for exchange in (work.delivery, change) if exchange),
            cleanup=work.cleanup,
            missing=(*self._missing(seen), *work.missing),
            prior=tuple(edit.prior for edit in edits if edit.prior),
        )

    def restoration(
        self, reading: Reading, priors: tuple[Prior, ...], *, force: bool = False, only_push: bool = False
    ) -> Plan:
        """Put back what ``priors`` say; see ``linux_restore`` for what somebody else changed since."""
        back = linux_restore.decide(reading.of(LinuxFacts), priors, force, only_push)
        return Plan(
            findings=tuple(back.findings),
            changes=tuple(linux_edits.all_changes(back.edits)),
            exchanges=tuple(exchange for exchange in (self._apply(back.edits),) if exchange),
            prior=tuple(back.stay),
        )

    def _findings(self, seen: LinuxFacts) -> list[Finding]:
        daemon = f"{seen.time_service} runs" if seen.time_service else "no ntpd, chronyd or systemd-timesyncd runs"
        remedy = f"Set the clock and keep it with chrony or ntp (on this host {daemon})."
        findings = checks.clock_findings(seen.host_name, seen.skew_s, self._want.time, remedy)
        findings += checks.reach_findings(seen.host_name, seen.reached)
        return findings + linux_rules.findings(seen, self._want)

    def _of_installer(self, seen: LinuxFacts) -> list[Finding]:
        return linux_rules.of_installer(seen, self._want)

    def _missing(self, seen: LinuxFacts) -> list[AsrMigrateError]:
        password = self._want.root_password.get_secret_value()
        if not self._want.push or seen.mobility.ready or (password and password.isprintable()):
            return []
        problem = "is needed for the push" if not password else "must be of printable characters"
        remedy = (
            "Give root_password from a vault or a secret file; the same password goes into the appliance's credentials."
        )
        return [InputError("want root_password", None, problem, remedy=remedy)]

    def _apply(self, edits: list[Edit], work: Work = NO_WORK) -> Exchange | None:
        """Return the one round trip that makes the edits, and after them does the work on the Mobility service."""
        then = work.script
        if not edits and not then:
            return None
        script = linux_script.script("changes") + "".join(edit.call for edit in edits) + then

        def judge(answer: Answer) -> AsrMigrateError | None:
            error = judge_changes(answer, len(edits))
            return self._mobility.judge(answer) if then and not error else error

        return Exchange("change", linux_script.SHELL, linux_script.to_send(script), judge=judge, notes=work.notes)


def judge_changes(answer: Answer, expected: int) -> AsrMigrateError | None:
    """Return the error of the change that failed, or of a host that did not tell of all the ``expected`` ones."""
    found = linux_script.lines(answer)
    codes = linux_script.exit_codes(found, "changed")
    for name, code in codes.items():
        if code:
            said = " ".join(found["said"])[:300] or "it said nothing"
            return SetupError(
                f"changing {name} failed with exit code {code}: {said}",
                code="HostChangeFailed",
                cause="The host refused the change; a read-only file system, missing rights, or somebody else who "
                "changes the host at the same time are the usual reasons.",
                remedy="Make the change on the host as root to see why, then run the playbook again.",
            )
    return None if len(codes) >= expected else linux_script.unreadable(answer)
