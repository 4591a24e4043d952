"""The Mobility service: what is left to do about it on a host. The systems' own files say how it is done."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import Any

from asr_migrate.domain.errors import AsrMigrateError, SetupError
from asr_migrate.domain.readiness_rule import Finding
from asr_migrate.hosts import mobility_findings
from asr_migrate.hosts import mobility_packages as packages
from asr_migrate.hosts.masking import masked_answer
from asr_migrate.hosts.mobility_state import MobilityState as MobilityState
from asr_migrate.hosts.mobility_want import Installer, Mobility, State
from asr_migrate.hosts.plan import Answer, Change, Exchange, nothing

PRIME = "CSPrime"


class Step(StrEnum):
    """One thing that is done on the host, in the order in which a plan may hold them."""

    FETCH = "fetch"
    UNPACK = "unpack"
    UNCONFIGURE = "unconfigure"
    UNINSTALL = "uninstall"
    INSTALL = "install"
    UPGRADE = "upgrade"
    REGISTER = "register"
    START = "start"


@dataclass(frozen=True)
class Work:
    """What stands in the way of a host's Mobility service, what is to change, and the texts that change it.

    Linux: ``script`` is appended to the host's one change script, ``delivery`` is the sending of a file of the
    controller before it. Windows: ``lines`` are appended to the host's one text, whose first contents are ``contents``.
    ``cleanup`` removes what a run that broke off may have left, ``notes`` reads warnings from the answer.
    """

    findings: tuple[Finding, ...] = ()
    changes: tuple[Change, ...] = ()
    missing: tuple[AsrMigrateError, ...] = ()
    script: str = ""
    lines: tuple[str, ...] = ()
    contents: tuple[bytes, ...] = ()
    delivery: Exchange | None = None
    cleanup: Exchange | None = None
    notes: Callable[[Answer], tuple[Finding, ...]] = nothing


@dataclass(frozen=True)
class Order:
    """What the systems' texts are made from: the steps, and the installer where one is needed."""

    steps: tuple[Step, ...]
    installer: Installer = field(default_factory=Installer)
    cs_type: str = ""

    @property
    def unpacks(self) -> bool:
        """Whether the installer is needed."""
        return Step.UNPACK in self.steps


def wrong_digest(installer: Installer, digest: str) -> SetupError | None:
    """Return the error when a file's SHA-256 is not the one that was given; None when it is, or none was given."""
    if not installer.sha256 or digest == installer.sha256.lower():
        return None
    return not_trusted(installer.place, digest, installer.sha256.lower())


def not_trusted(place: str, digest: str, wanted: str) -> SetupError:
    """Return the error of a file with another SHA-256 than the one that was given."""
    return SetupError(
        f"{place} has the SHA-256 {digest or '(unknown)'}, not {wanted}",
        code="DownloadNotTrusted",
        cause="The file changed, or something on the way replaced it.",
        remedy="Compare with the publisher's checksum; correct sha256 only when the new file is the right one.",
    )


class ByHand(ABC):
    """Brings the Mobility service to what the user wants; a system gives the texts."""

    def __init__(self, wanted: Mobility) -> None:
        self._wanted = wanted

    @property
    def secrets(self) -> tuple[str, ...]:
        """The passphrase, the config.json of a modernized agent, and the keys in the URLs of installers."""
        wanted = self._wanted
        given = (wanted.passphrase.get_secret_value(), wanted.source_config.get_secret_value())
        return (*given, *wanted.installer.secrets, *wanted.repository.secrets)

    def private(self, state: MobilityState) -> dict[str, str]:
        """Return what a person has to take to the appliance's page, for ``Reading.private``; no result may show it."""
        shown = self._wanted.waits and not state.configured and state.config_input
        return {"agent_config_input": state.config_input} if shown else {}

    def work(self, name: str, os_name: str, state: MobilityState) -> Work:
        """Return what is left to do for a host of this name and system."""
        package = packages.of_system(os_name)
        installer = self._installer(package, state)
        steps = self.steps(state, installer)
        order = Order(steps, installer, self._cs_type(state, installer, steps))
        findings = mobility_findings.of_host(
            name, os_name, state, self._wanted, package, installer, unpacks=order.unpacks
        )
        if not steps:
            return Work(findings=tuple(findings))
        return self._texts(
            order,
            findings=tuple(findings),
            changes=tuple(self._changes(state, steps, installer)),
            missing=tuple(self._missing(order, package)),
            notes=partial(self.notes, name),
        )

    def runs_installer(self, os_name: str, state: MobilityState) -> bool:
        """Whether the installer is going to run on a host, for whose prerequisites the host must be judged then."""
        steps = self.steps(state, self._installer(packages.of_system(os_name), state))
        return Step.INSTALL in steps or Step.UPGRADE in steps

    def steps(self, state: MobilityState, installer: Installer) -> tuple[Step, ...]:
        """Return what is to be done, in order; the installer is fetched before anything is taken away."""
        wanted = self._wanted
        if wanted.state is State.ABSENT:
            return (Step.UNINSTALL,) if state.installed or state.leftovers else ()
        if wanted.state is State.UNCONFIGURED:
            return (Step.UNCONFIGURE,) if state.configured else ()
        older = state.installed and wanted.upgrades and mobility_findings.is_older(state, installer)
        if wanted.state is State.UPGRADED:
            return (Step.FETCH, Step.UNPACK, Step.UPGRADE) if older else ()
        if not wanted.by_hand:
            return ()
        foreign = wanted.move and bool(mobility_findings.belongs_elsewhere(state, wanted))
        reset = foreign and (state.cs_type, wanted.cs_type) != (PRIME, PRIME)
        takes_away = reset or state.leftovers
        installs = takes_away or not state.installed
        upgrades = older and not installs
        made = [Step.FETCH, Step.UNPACK] if installs or upgrades else []
        made += [Step.UNINSTALL] if takes_away else [Step.UNCONFIGURE] if foreign else []
        made += [Step.INSTALL] if installs else [Step.UPGRADE] if upgrades else []
        if (installs or foreign or not state.configured) and not wanted.waits:
            made.append(Step.REGISTER)
        elif state.configured and not state.running and not installs and not foreign:
            made.append(Step.START)
        return tuple(made)

    def _cs_type(self, state: MobilityState, installer: Installer, steps: Sequence[Step]) -> str:
        """Return the architecture that the programs are told; empty for programs that know no choice.

        An agent that is upgraded or taken away is told its own.
        """
        program = installer if Step.UNPACK in steps else Installer(version=state.version)
        if not program.knows_cs_type:
            return ""
        own = state.cs_type if self._wanted.state is not State.PRESENT else None
        return own or self._wanted.cs_type

    def _installer(self, package: packages.Package | None, state: MobilityState) -> Installer:
        """Return the installer that was given, or the one of this system in the repository that was given.

        An agent that is only upgraded keeps its architecture.
        """
        wanted = self._wanted
        if wanted.installer.place or not wanted.repository.given or package is None:
            return wanted.installer
        keeps = state.cs_type if wanted.state is State.UPGRADED else None
        classic = (keeps or wanted.cs_type) != PRIME
        return wanted.repository.installer_for(package, classic=classic) or wanted.installer

    def _changes(self, state: MobilityState, steps: Sequence[Step], installer: Installer) -> list[Change]:
        after = {
            State.ABSENT: "not installed",
            State.UNCONFIGURED: "installed, not registered",
            State.UPGRADED: state.words,
            State.PRESENT: "installed, waits for its config.json" if self._wanted.waits else self._registered,
        }[self._wanted.state]
        changes = []
        if Step.UPGRADE in steps:
            offered = ".".join(str(part) for part in installer.offered or ())
            changes.append(Change("Mobility service version", state.version, offered))
        if set(steps) - {Step.FETCH, Step.UNPACK, Step.UPGRADE}:
            changes.insert(0, Change("Mobility service", state.words, after))
        return changes

    @property
    def _registered(self) -> str:
        return f"registered with {self._wanted.appliance_address or 'the appliance of its config.json'}"

    def _missing(self, order: Order, package: packages.Package | None) -> list[AsrMigrateError]:
        """Return an error for every input that the steps need and that was not given."""
        found: list[AsrMigrateError] = []
        classic = self._wanted.cs_type != PRIME
        if Step.REGISTER in order.steps and classic and not self._wanted.passphrase.get_secret_value():
            found.append(
                SetupError(
                    "the Mobility service cannot be registered without the configuration server's passphrase",
                    code="PassphraseMissing",
                    cause="No passphrase was given, or its file on the controller is not there.",
                    remedy="Run deploy_appliance first: it keeps the passphrase in asr_passphrase_file.",
                )
            )
        if not order.unpacks:
            return found
        if not order.installer.place and self._wanted.repository.given and package is not None:
            found.append(mobility_findings.not_in_repository(self._wanted.repository, package))
        elif problem := order.installer.problem or self._not_for_system(order.installer):
            found.append(problem)
        return found

    def _not_for_system(self, _installer: Installer) -> AsrMigrateError | None:
        """Return the error of an installer whose place this system cannot use."""
        return None

    def notes(self, name: str, answer: Answer) -> tuple[Finding, ...]:
        """Return a warning when the installer ended well and asks for something, most often a restart of the host."""
        told = self._ended(masked_answer(answer, self.secrets))
        return mobility_findings.of_ending(name, *told) if told else ()

    @abstractmethod
    def _ended(self, answer: Answer) -> tuple[str, int, str] | None:
        """Return step, exit code and words of the installer when it ended well with another exit code than 0."""

    @abstractmethod
    def _texts(self, order: Order, **work: Any) -> Work:
        """Return the work with the texts that do the order's steps."""
