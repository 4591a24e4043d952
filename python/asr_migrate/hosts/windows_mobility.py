"""The Mobility service on Windows: what the registry says of it, and how it is installed and registered by hand.

Source: Site Recovery documentation, manual installation (classic) and verification.
"""

from __future__ import annotations

from collections.abc import Mapping

from asr_migrate.domain.errors import AsrMigrateError, SetupError
from asr_migrate.hosts import mobility
from asr_migrate.hosts import windows_output as output
from asr_migrate.hosts import windows_text as text
from asr_migrate.hosts.mobility_want import Installer
from asr_migrate.hosts.plan import Answer, Exchange
from asr_migrate.hosts.windows_facts import WindowsFacts

INSTALL_DIR = "C:\\Program Files (x86)\\Microsoft Azure Site Recovery"
LOGS = "C:\\ProgramData\\ASRSetupLogs\\*"
PASSPHRASE_FILE = text.WORK_DIRECTORY + "\\MobSvc.passphrase"
INSTALLER_FILE = text.WORK_DIRECTORY + "\\MobilityServiceInstaller.exe"
EXTRACTED = text.WORK_DIRECTORY + "\\mobility"


def mobility_state(host: WindowsFacts, product: Mapping[str, str]) -> mobility.MobilityState:
    """Return the state from the product's registry values (names in lower case) and the service ``svagents``."""
    return mobility.MobilityState(
        installed=product.get("postinstallactions", "").lower() == "succeeded",
        configured=product.get("agentconfigurationstatus", "").lower() == "succeeded",
        running=host.states.get("svagents") == "running",
        server=product.get("servername") or None,
    )


class WindowsMobility(mobility.ByHand):
    """By ``UnifiedAgent.exe`` and ``UnifiedAgentConfigurator.exe``."""

    def _deliver(self) -> Exchange | None:
        return fetch(self._wanted.installer, INSTALLER_FILE)

    def missing(self) -> tuple[AsrMigrateError, ...]:
        unusable = file_for_windows(self._wanted.installer)
        return super().missing() + ((unusable,) if unusable else ())

    def cleanup(self) -> Exchange:
        return Exchange("clean up", text.encoded(text.delete_files(PASSPHRASE_FILE)))

    def _install(self, state: mobility.MobilityState) -> Exchange:
        wanted = self._wanted
        directory = wanted.install_dir or INSTALL_DIR
        lines = [*text.make_private_directory(text.WORK_DIRECTORY), text.write_from_stdin(PASSPHRASE_FILE)]
        if not state.installed:
            setup = wanted.installer.path or INSTALLER_FILE
            cs_type = ("/CSType", "CSLegacy") if wanted.installer.knows_cs_type else ()
            lines += text.section("extract", *text.run(setup, "/q", f"/x:{EXTRACTED}"))
            arguments = ("/Role", "MS", "/InstallLocation", directory, "/Platform", "VmWare", "/Silent", *cs_type)
            lines += text.section("install", *text.run(f"{EXTRACTED}\\UnifiedAgent.exe", *arguments))
        if not state.configured:
            configurator = f"{directory}\\agent\\UnifiedAgentConfigurator.exe"
            to_server = ("/CSEndPoint", wanted.appliance_address or "", "/PassphraseFilePath", PASSPHRASE_FILE)
            lines += text.section("register", *text.run(configurator, *to_server))
        elif state.installed:
            lines += text.section("start", *text.with_exit_code("net start 'svagents'"))
        lines.append(text.delete_files(PASSPHRASE_FILE))
        return Exchange(
            "install the Mobility service",
            text.encoded(text.lines(lines)),
            stdin=wanted.passphrase.get_secret_value().encode() + b"\n",
            judge=judge_installation,
            logs=Exchange("read the logs", text.encoded(text.lines(text.section("log", text.print_files(LOGS))))),
            explain=explain_installation,
        )


class StepError(SetupError):
    """One step of an installation ended with an exit code that is no success.

    ``step``, ``exit_code`` (None: unknown), ``said`` what it printed.
    """

    def __init__(self, step: str, exit_code: int | None, said: str) -> None:
        super().__init__(f"{step} failed with exit code {exit_code}: {said}", code="InstallerFailed")
        self.step = step
        self.exit_code = exit_code
        self.said = said


def judge_installation(answer: Answer) -> AsrMigrateError | None:
    """Return the first step that failed. 3010 is success that wants a reboot (Windows Installer documentation)."""
    for name, section in output.sections(answer.stdout).items():
        if section.exit_codes and section.exit_codes[-1] not in (0, 3010):
            said = section.text.strip() or answer.stderr.strip()
            return StepError(name, section.exit_codes[-1], said[-2000:])
    return None


def explain_installation(error: AsrMigrateError, log: str) -> AsrMigrateError:
    """Return the failed step with the cause that its exit code or its log tells."""
    if not isinstance(error, StepError):
        return error
    return mobility.explain(error.step, error.exit_code, mobility.WINDOWS_EXIT_CODES, error.said, log)


def fetch(installer: Installer, path: str) -> Exchange | None:
    """Return the download of an installer to ``path``.

    None when it is on the host already, or was given as something else.
    """
    url = installer.url
    if not url:
        return None
    lines = text.lines(
        text.make_private_directory(text.WORK_DIRECTORY),
        text.section("download", *text.download(url, path)),
        text.section("sha256", text.sha256(path)),
    )
    return Exchange(f"download {url}", text.encoded(lines), judge=lambda answer: judge_download(answer, installer, url))


def file_for_windows(installer: Installer) -> SetupError | None:
    """Return the error for an installer that is a file on the controller, which is not sent to Windows hosts."""
    if not installer.file:
        return None
    return SetupError(
        f"the installer {installer.file} is a file on the controller, which cannot be sent to a Windows host",
        code="InstallerNotReachable",
        cause="A text of PowerShell 2 can receive lines, not a large binary file.",
        remedy="Put the file on a web server and give its url with its sha256, or copy it to the host and give its "
        "path.",
    )


def judge_download(answer: Answer, installer: Installer, url: str) -> AsrMigrateError | None:
    """Return the error of a download that left no file, or a file with another SHA-256."""
    digest = output.sha256(output.sections(answer.stdout)["sha256"])
    if digest is None:
        said = next((line.strip() for line in answer.stderr.splitlines() if line.strip()), "nothing")
        return SetupError(
            f"the host could not download {url}: {said[:300]}",
            code="DownloadFailed",
            cause="The name does not resolve, the way out is closed, or the host cannot speak the server's TLS "
            "version.",
            remedy="Open TCP 443 to that server, or put the file on a server in the network and give its url with "
            "its sha256.",
        )
    return mobility.wrong_digest(installer, digest)
