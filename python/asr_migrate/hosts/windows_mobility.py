"""The Mobility service on Windows: what the host says of it, and how it is installed, registered, upgraded, removed.

Source: Site Recovery documentation, manual installation and verification; the agent's published installer for names.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from asr_migrate.domain.errors import AsrMigrateError
from asr_migrate.domain.machine import Os
from asr_migrate.hosts import config_json, mobility, mobility_codes, windows_installer, windows_steps
from asr_migrate.hosts import windows_output as output
from asr_migrate.hosts import windows_text as text
from asr_migrate.hosts.masking import masked_answer
from asr_migrate.hosts.mobility import Step
from asr_migrate.hosts.mobility_want import Architecture, Installer, Mobility
from asr_migrate.hosts.plan import Answer, Exchange
from asr_migrate.hosts.windows_facts import WindowsFacts
from asr_migrate.hosts.windows_steps import Part

INSTALL_DIR = "C:\\Program Files (x86)\\Microsoft Azure Site Recovery"
PRODUCT = "HKLM\\SOFTWARE\\Wow6432Node\\InMage Systems\\Installed Products\\5"
SERVER = "HKLM\\SOFTWARE\\Wow6432Node\\SV Systems"
PRODUCT_CODE = "{275197FC-14FD-4560-A5EB-38217F80CBD1}"
SETUP_LOGS = "C:\\ProgramData\\ASRSetupLogs"
LOGS = (f"{SETUP_LOGS}\\ASRUnifiedAgent*.log", f"{SETUP_LOGS}\\InstallerErrors.json")
PASSPHRASE_FILE = text.WORK_DIRECTORY + "\\MobSvc.passphrase"
CONFIG_FILE = text.WORK_DIRECTORY + "\\config.json"
INSTALLER_FILE = text.WORK_DIRECTORY + "\\MobilityServiceInstaller.exe"
EXTRACTED = text.WORK_DIRECTORY + "\\mobility"
AGENT, APPLICATION_SERVICE = "svagents", "inmage scout application service"
#: sc.exe: the service runs already (Windows system error codes).
RUNS_ALREADY = 1056

GOOD = {
    Step.INSTALL: mobility_codes.DONE,
    Step.UPGRADE: mobility_codes.DONE,
    Step.REGISTER: mobility_codes.REGISTERED,
    Step.UNCONFIGURE: mobility_codes.UNREGISTERED,
    Step.UNINSTALL: mobility_codes.UNINSTALLED,
    Step.START: (0, RUNS_ALREADY),
}
_CONF = re.compile(
    r"^\s*(HostId|CSType|VmPlatform|Hostname)\s*=\s*\"?([^\"\r\n]*?)\"?\s*$", re.IGNORECASE | re.MULTILINE
)


def probe_lines(wanted: Mobility) -> list[str]:
    """Return what the probe reads.

    Sections ``mobility``, ``mobility_conf``, ``mobility_appliance`` and ``mobility_input``. Of SourceConfig.json only
    the appliance's addresses are printed; it holds a private key.
    """
    agent = f"{wanted.install_dir or INSTALL_DIR}\\agent"
    etc = f"{agent}\\Application Data\\etc"
    lines = text.section("mobility", text.reg_query(PRODUCT), text.reg_query(SERVER))
    lines += text.section("mobility_conf", windows_steps.read_text(f"{etc}\\drscout.conf"))
    patterns = (config_json.ADDRESSES, config_json.NAT_ADDRESS)
    read = [windows_steps.read_match(f"{etc}\\SourceConfig.json", pattern) for pattern in patterns]
    lines += text.section("mobility_appliance", *read)
    if wanted.waits:
        log = ("--logfile", f"{SETUP_LOGS}\\AzureRcmCli.log")
        lines += text.section("mobility_input", *text.run(f"{agent}\\AzureRcmCli.exe", "--getagentconfiginput", *log))
    return lines


def mobility_state(host: WindowsFacts, found: output.Sections) -> mobility.MobilityState:
    """Return the state from the registry, the agent's drscout.conf and its services."""
    product = output.registry_values(found["mobility"])
    conf = {name.lower(): value for name, value in _CONF.findall(found["mobility_conf"].text) if value}
    whole = product.get("postinstallactions", "").lower() == "succeeded"
    states = [host.states.get(name) for name in (AGENT, APPLICATION_SERVICE) if name in host.installed or name == AGENT]
    ids = [product.get("hostid"), conf.get("hostid")]
    input_lines = [line.strip() for line in found["mobility_input"].lines if line.strip()]
    return mobility.MobilityState(
        installed=whole,
        leftovers=not whole
        and bool(product.keys() & {"postinstallactions", "installdirectory"} or AGENT in host.installed),
        configured=whole and product.get("agentconfigurationstatus", "").lower() == "succeeded",
        running=all(state == "running" for state in states),
        servers=tuple(
            value.lower()
            for value in (product.get("servername"), *config_json.addresses(found["mobility_appliance"].text))
            if value
        ),
        version=product.get("version") or product.get("product_version") or None,
        cs_type=conf.get("cstype") or product.get("cstype") or None,
        platform=conf.get("vmplatform") or product.get("vmplatform") or None,
        host_ids=tuple(dict.fromkeys(value.lower() for value in ids if value)),
        config_input="\n".join(input_lines) if found["mobility_input"].exit_codes[-1:] == (0,) else "",
    )


class WindowsMobility(mobility.ByHand):
    """By ``UnifiedAgent.exe``, its configurator and Windows Installer."""

    def _not_for_system(self, installer: Installer) -> AsrMigrateError | None:
        return windows_installer.file_for_windows(installer)

    def cleanup(self) -> Exchange:
        """Return the deletion of what a run that broke off may have left, the passphrase file among it."""
        return text.exchange("clean up", self._clean_up())

    def judge(self, answer: Answer) -> AsrMigrateError | None:
        """Return the error of the step that failed, with the cause that its exit code or its logs tell."""
        return judge(masked_answer(answer, self.secrets))

    def _ended(self, answer: Answer) -> tuple[str, int, str] | None:
        found = output.sections(answer.stdout)
        for step in (Step.INSTALL, Step.UPGRADE):
            section = found[f"mobility {step}"]
            code = section.exit_codes[-1] if section.exit_codes else 0
            if code and code in GOOD[step]:
                return step, code, ""
        return None

    def _texts(self, order: mobility.Order, **work: Any) -> mobility.Work:
        modernized = self._wanted.architecture is Architecture.MODERNIZED
        secret = self._wanted.source_config if modernized else self._wanted.passphrase
        registers = Step.REGISTER in order.steps
        lines = text.make_private_directory(text.WORK_DIRECTORY)
        if registers:
            lines.append(text.write_content(CONFIG_FILE if modernized else PASSPHRASE_FILE, 0))
        logs = text.section("mobility log", *(text.print_files(pattern) for pattern in LOGS))
        lines += windows_steps.chain([part for step in order.steps for part in self._step(step, order)], logs)
        contents = (secret.get_secret_value().strip().encode() + b"\r\n",) if registers else ()
        lines += text.section("mobility end", *self._clean_up())
        return mobility.Work(lines=tuple(lines), contents=contents, cleanup=self.cleanup(), **work)

    def _clean_up(self) -> list[str]:
        return [
            text.delete_files(PASSPHRASE_FILE, CONFIG_FILE, INSTALLER_FILE),
            windows_steps.remove_directory(EXTRACTED),
        ]

    def _step(self, step: Step, order: mobility.Order) -> list[Part]:
        """Return a step's lines and the exit codes after which the next one may follow."""
        if step is Step.FETCH:
            return _fetch(order.installer)
        if step is Step.UNINSTALL:
            return [
                Part(_section(step, _uninstall()), GOOD[step]),
                Part(text.section("mobility forget", _forget()), ()),
            ]
        if step is Step.START:
            lines = [
                *text.with_exit_code(f"sc.exe start '{APPLICATION_SERVICE}'"),
                *text.with_exit_code(f"sc.exe start '{AGENT}'"),
            ]
            return [Part(_section(step, lines), GOOD[step])]
        program, arguments = self._command(step, order)
        return [Part(_section(step, text.run(program, *arguments)), GOOD.get(step, (0,)))]

    def _command(self, step: Step, order: mobility.Order) -> tuple[str, tuple[str, ...]]:
        wanted = self._wanted
        directory = wanted.install_dir or INSTALL_DIR
        configurator = f"{directory}\\agent\\UnifiedAgentConfigurator.exe"
        cs_type = ("/CSType", order.cs_type) if order.cs_type else ()
        modernized = wanted.architecture is Architecture.MODERNIZED
        if step is Step.UNPACK:
            return order.installer.path or INSTALLER_FILE, ("/q", f"/x:{EXTRACTED}")
        if step is Step.INSTALL and modernized:
            options = ("/Platform", "vmware", "/Silent", "/Role", "MS", *cs_type, "/InstallLocation", directory)
            return f"{EXTRACTED}\\UnifiedAgentInstaller.exe", options
        if step is Step.INSTALL:
            options = ("/Role", "MS", "/InstallLocation", directory, "/Platform", "VmWare", "/Silent", *cs_type)
            return f"{EXTRACTED}\\UnifiedAgent.exe", options
        if step is Step.UPGRADE:
            return f"{EXTRACTED}\\UnifiedAgent.exe", ("/Platform", "VmWare", "/Silent", *cs_type)
        if step is Step.UNCONFIGURE:
            return configurator, ("/Unconfigure", "true")
        if not modernized:
            return configurator, ("/CSEndPoint", wanted.appliance_address or "", "/PassphraseFilePath", PASSPHRASE_FILE)
        less = (
            () if wanted.credential_less is None else ("/CredentialLessDiscovery", str(wanted.credential_less).lower())
        )
        return configurator, ("/SourceConfigFilePath", CONFIG_FILE, *cs_type, *less)


def _section(step: str, lines: Sequence[str]) -> list[str]:
    return text.section(f"mobility {step}", *lines)


def _fetch(installer: Installer) -> list[Part]:
    """Return the download and the check of its digest; an installer that is on the host is only checked."""
    path = installer.path or INSTALLER_FILE
    lines = [] if installer.path else [text.delete_files(path), *text.download(installer.url or "", path)]
    parts = [Part(_section(Step.FETCH, [*lines, *text.with_exit_code(text.sha256(path))]))]
    if installer.sha256:
        pinned = text.with_exit_code(windows_steps.has_sha256(path, installer.sha256.lower()))
        parts.append(Part(_section("digest", [f"echo 'wanted {installer.sha256.lower()}'", *pinned])))
    return parts


def _uninstall() -> list[str]:
    log = f"{SETUP_LOGS}\\UnifiedAgentMSIUninstall.log"
    return text.run("msiexec.exe", "/qn", "/x", PRODUCT_CODE, "/L+*V", log)


def _forget() -> str:
    """Return the deletion of the product's key, which half an installation may leave without a product."""
    return text.reg_delete(PRODUCT)


def judge(answer: Answer) -> AsrMigrateError | None:
    """Return the error of the step that failed."""
    found = output.sections(answer.stdout)
    if refused := windows_installer.not_private(found):
        return refused
    for name, section in found.items():
        step = name.removeprefix("mobility ")
        if step == name or not section.exit_codes or step == "forget":
            continue
        code = section.exit_codes[-1]
        if code in (GOOD[Step(step)] if step in GOOD else (0,)):
            continue
        if step == Step.FETCH:
            return windows_installer.not_downloaded("the installer of the Mobility service", answer.stderr)
        if step == "digest":
            wanted = re.search(r"wanted ([0-9a-f]{64})", section.text)
            digest = output.sha256(found["mobility fetch"]) or ""
            return mobility.not_trusted(
                "the installer of the Mobility service", digest, wanted.group(1) if wanted else ""
            )
        log = found["mobility log"].text.strip() or answer.stderr.strip()
        return mobility_codes.explain(Os.WINDOWS, step, code, section.text.strip()[-2000:], log[-20000:])
    return None
