"""The Mobility service on Linux: what the host says of it, and how it is installed and registered by hand.

Source: Site Recovery documentation, manual installation (classic) and verification, and its published scripts.
"""

from __future__ import annotations

import re

from asr_migrate.domain.errors import AsrMigrateError, SetupError
from asr_migrate.hosts import linux_script, mobility
from asr_migrate.hosts.mobility_want import Installer
from asr_migrate.hosts.plan import Answer, Exchange
from asr_migrate.hosts.quoting import posix

INSTALL_DIR = "/usr/local/ASR"


def mobility_state(found: linux_script.Lines) -> mobility.MobilityState:
    """Return the state from a probe's lines."""
    return mobility.MobilityState(
        installed=bool(found["mobility"]),
        configured=found.first("mobility_status").lower() == "succeeded",
        running=found.first("vxagent") == "running",
        server=found.first("mobility_hostname") or None,
    )


class LinuxMobility(mobility.ByHand):
    """By ``install`` and ``UnifiedAgentConfigurator.sh``."""

    def _deliver(self) -> Exchange | None:
        return deliver(self._wanted.installer)

    def cleanup(self) -> Exchange:
        return Exchange(
            "clean up", linux_script.SHELL, f"rm -f {linux_script.WORK_DIRECTORY}/MobSvc.passphrase\n".encode()
        )

    def _install(self, state: mobility.MobilityState) -> Exchange:
        wanted = self._wanted
        what = "install" if not state.installed else "start" if state.configured else "register"
        script = linux_script.script(
            "mobility",
            package=wanted.installer.path or _package(wanted.installer),
            directory=wanted.install_dir or INSTALL_DIR,
            work=linux_script.WORK_DIRECTORY,
            server=wanted.appliance_address or "",
            cs_type="-c CSLegacy" if wanted.installer.knows_cs_type else "",
            install=what,
            passphrase=wanted.passphrase.get_secret_value(),
        )
        return Exchange("install the Mobility service", linux_script.SHELL, script.encode(), judge=judge_installation)


def _package(installer: Installer) -> str:
    """Return where the package is put on the host, under its own name as far as that is plain."""
    return f"{linux_script.WORK_DIRECTORY}/{re.sub(r'[^A-Za-z0-9._-]', '_', installer.file_name)}"


def deliver(installer: Installer) -> Exchange | None:
    """Return the download or the sending of an installer; None when it is on the host already."""
    target = posix(_package(installer))
    begin = f"umask 077; mkdir -p {linux_script.WORK_DIRECTORY};"
    if installer.file:
        command = posix(f"{begin} cat >{target}; sha256sum {target}")
        return Exchange(
            f"send {installer.file_name}",
            f"sh -c {command}",
            stdin_file=installer.file,
            judge=lambda answer: judge_delivery(answer, installer),
        )
    if not installer.url:
        return None
    url = posix(installer.url)
    fetch = f"if command -v curl >/dev/null 2>&1; then curl -fsSL -o {target} {url}; else wget -q -O {target} {url}; fi"
    return Exchange(
        f"download {installer.url}",
        linux_script.SHELL,
        f"{begin}\n{fetch}\nsha256sum {target}\n".encode(),
        judge=lambda answer: judge_delivery(answer, installer),
    )


def judge_delivery(answer: Answer, installer: Installer) -> AsrMigrateError | None:
    """Return the error of a package that did not arrive, or arrived with another SHA-256."""
    match = re.search(r"\b([0-9a-f]{64})\b", answer.stdout)
    if answer.exit_code or not match:
        said = next((line.strip() for line in answer.stderr.splitlines() if line.strip()), "nothing")
        return SetupError(
            f"{installer.place} did not arrive on the host: {said[:300]}",
            code="DownloadFailed",
            cause="The name does not resolve, the way out is closed, the disk is full, or neither curl nor wget is "
            "there.",
            remedy="Give the installer as a file of the controller, which is sent over SSH, or open the way.",
        )
    return mobility.wrong_digest(installer, match.group(1))


def judge_installation(answer: Answer) -> AsrMigrateError | None:
    """Return the first step that failed, with the cause of its exit code."""
    found = linux_script.lines(answer)
    codes = linux_script.exit_codes(found)
    for step, code in codes.items():
        if code:
            said, log = "\n".join(found["say"]), "\n".join(found["log"])
            return mobility.explain(step, code, mobility.LINUX_EXIT_CODES, said, log)
    return None if codes else linux_script.unreadable(answer)
