"""The Mobility service on Linux: what the host says of it, and how it is installed, registered, upgraded and removed.

Source: Site Recovery documentation, manual installation and verification, and its published scripts.
"""

from __future__ import annotations

import re
from typing import Any

from asr_migrate.domain.errors import AsrMigrateError, SetupError
from asr_migrate.domain.machine import Os
from asr_migrate.hosts import linux_script, mobility, mobility_codes
from asr_migrate.hosts.masking import masked_answer
from asr_migrate.hosts.mobility import Step
from asr_migrate.hosts.mobility_want import Architecture, Installer
from asr_migrate.hosts.plan import Answer, Exchange
from asr_migrate.hosts.quoting import posix

INSTALL_DIR = "/usr/local/ASR"
#: Exit codes of our own script's step ``fetch``.
NOT_ARRIVED, WRONG_DIGEST = 90, 91
_DIGEST = re.compile(r"^(?P<place>.*) has the digest (?P<digest>\S*), wanted (?P<wanted>\S+)$", re.MULTILINE)


def mobility_state(found: linux_script.Lines) -> mobility.MobilityState:
    """Return the state from a probe's lines."""
    said = found.first("mobility")
    drivers = {"loaded": True, "missing": False}
    return mobility.MobilityState(
        installed=said == "installed",
        leftovers=said == "partial",
        configured=said == "installed"
        and found.first("mobility_status").lower() == "succeeded"
        and not _unconfigured(found),
        running=found.first("vxagent") == "running",
        servers=tuple(value.lower() for value in found["mobility_hostname"] + found["mobility_appliance"] if value),
        version=found.first("mobility_version") or None,
        cs_type=found.first("mobility_cstype") or None,
        platform=found.first("mobility_vmplatform") or None,
        host_ids=tuple(dict.fromkeys(value.lower() for value in found["mobility_hostid"] if value)),
        driver=drivers.get(found.first("mobility_driver")),
        config_input="\n".join(found["mobility_input"]).strip(),
    )


def _unconfigured(found: linux_script.Lines) -> bool:
    """Whether a modernized agent was unregistered: its configurator empties HostId and deletes SourceConfig.json.

    The status in .vx_version stays as it was (the agent's published UnifiedAgentConfigurator.sh).
    """
    modernized = found.first("mobility_cstype") == mobility.PRIME
    return modernized and "" in found["mobility_hostid"] and not found["mobility_appliance"]


class LinuxMobility(mobility.ByHand):
    """By ``install``, ``UnifiedAgentConfigurator.sh`` and ``uninstall.sh``."""

    @property
    def wants_config_input(self) -> str:
        """What ``want_config_input`` of the probe is: ``yes`` or empty."""
        return "yes" if self._wanted.waits else ""

    def _ended(self, answer: Answer) -> tuple[str, int, str] | None:
        found = linux_script.lines(answer)
        codes = linux_script.exit_codes(found)
        ended = next((step for step in (Step.INSTALL, Step.UPGRADE) if codes.get(step)), None)
        return (ended, codes[ended], mobility_codes.last_words("\n".join(found["warned"]))) if ended else None

    def _texts(self, order: mobility.Order, **work: Any) -> mobility.Work:
        wanted, installer = self._wanted, order.installer
        modernized = wanted.architecture is Architecture.MODERNIZED
        directory = wanted.install_dir or ("" if modernized else INSTALL_DIR)
        discovery = "" if wanted.credential_less is None else f"-D {str(wanted.credential_less).lower()}"
        variables = {
            "steps": " ".join(order.steps),
            "package": (installer.path or package_path(installer)) if order.unpacks else "",
            "url": installer.url or "",
            "place": installer.place,
            "sha256": (installer.sha256 or "").lower(),
            "directory": directory,
            "work": linux_script.WORK_DIRECTORY,
            "server": wanted.appliance_address or "",
            "cs_type": f"-c {order.cs_type}" if order.cs_type else "",
            "discovery": discovery,
            "passphrase": "" if modernized else wanted.passphrase.get_secret_value(),
            "source_config": wanted.source_config.get_secret_value().strip() if modernized else "",
        }
        delivery = deliver(installer) if order.unpacks and installer.file and not installer.problem else None
        script = "".join(f"{key}={posix(value)}\n" for key, value in variables.items())
        script += f"{linux_script.PRIVATE_DIRECTORY}\n{linux_script.body('mobility')}"
        return mobility.Work(script=f"(\n{script}) </dev/null\n", delivery=delivery, cleanup=self.cleanup(), **work)

    def cleanup(self) -> Exchange:
        """Return the deletion of what a run that broke off may have left, the passphrase file among it."""
        return Exchange("clean up", linux_script.SHELL, f"rm -rf {linux_script.WORK_DIRECTORY}\n".encode())

    def judge(self, answer: Answer) -> AsrMigrateError | None:
        """Return the error of the step that failed, with the cause that its exit code or its logs tell."""
        return judge(masked_answer(answer, self.secrets))


def package_path(installer: Installer) -> str:
    """Return where the package is put on the host, under its own name as far as that is plain."""
    return f"{linux_script.WORK_DIRECTORY}/{re.sub(r'[^A-Za-z0-9._-]', '_', installer.file_name)}"


def deliver(installer: Installer) -> Exchange:
    """Return the sending of an installer that is a file of the controller."""
    target, made = posix(package_path(installer)), f"private_directory {linux_script.WORK_DIRECTORY} || exit"
    command = posix(f"{linux_script.PRIVATE_DIRECTORY}; {made}; rm -f {target}; cat >{target}; sha256sum {target}")
    return Exchange(
        f"send {installer.file_name}",
        f"sh -c {command}",
        stdin_file=installer.file,
        judge=lambda answer: judge_delivery(answer, installer),
    )


def not_private(said: str) -> SetupError:
    """Return the error of a work directory that is not root's alone; nothing was written into it."""
    return SetupError(
        f"the Mobility service was not touched: {said[:300]}",
        code="WorkDirectoryNotPrivate",
        cause="Somebody else made it, or a link stands in its place; whoever did could read the passphrase, or have "
        "root overwrite a file.",
        remedy=f"Find out who made it (ls -ld {linux_script.WORK_DIRECTORY}), remove it, and run the playbook again.",
    )


def not_arrived(place: str, said: str) -> SetupError:
    """Return the error of an installer that is not on the host."""
    return SetupError(
        f"{place} did not arrive on the host: {said[:300]}",
        code="DownloadFailed",
        cause="The name does not resolve, the way out is closed, the disk is full, or neither curl nor wget is there.",
        remedy="Give the installer as a file of the controller, which is sent over SSH, or open the way.",
    )


def judge_delivery(answer: Answer, installer: Installer) -> AsrMigrateError | None:
    """Return the error of a package that did not arrive, or arrived with another SHA-256."""
    match = re.search(r"\b([0-9a-f]{64})\b", answer.stdout)
    if answer.exit_code or not match:
        said = next((line.strip() for line in answer.stderr.splitlines() if line.strip()), "nothing")
        if answer.exit_code == linux_script.NOT_PRIVATE:
            return not_private(said)
        return not_arrived(installer.place, said)
    return mobility.wrong_digest(installer, match.group(1))


def judge(answer: Answer) -> AsrMigrateError | None:
    """Return the error of the step that failed; one for a script that did not reach its first step's end."""
    found = linux_script.lines(answer)
    codes = linux_script.exit_codes(found)
    step = found.first("failed")
    if not step:
        return None if codes else linux_script.unreadable(answer)
    said, log, code = "\n".join(found["say"]), "\n".join(found["log"]), codes.get(step)
    if code == linux_script.NOT_PRIVATE and step == "directory":
        return not_private(said)
    if step == Step.FETCH and code == NOT_ARRIVED:
        return not_arrived("the installer of the Mobility service", said)
    if step == Step.FETCH and code == WRONG_DIGEST and (digest := _DIGEST.search(said)):
        return mobility.not_trusted(digest.group("place"), digest.group("digest"), digest.group("wanted"))
    return mobility_codes.explain(Os.LINUX, step, code, said, log)
