"""Installers on Windows in general: how one gets to the host, and how the steps of an installation are judged."""

from __future__ import annotations

from asr_migrate.domain.errors import AsrMigrateError, SetupError
from asr_migrate.hosts import mobility
from asr_migrate.hosts import windows_output as output
from asr_migrate.hosts import windows_text as text
from asr_migrate.hosts.mobility_want import Installer
from asr_migrate.hosts.plan import Answer, Exchange


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


def fetch(installer: Installer, path: str) -> Exchange | None:
    """Return the download of an installer to ``path``.

    None when it is on the host already, or was given as something else.
    """
    url = installer.url
    if not url:
        return None
    return text.exchange(
        f"download {url}",
        text.make_private_directory(text.WORK_DIRECTORY),
        text.section("download", *text.download(url, path)),
        text.section("sha256", text.sha256(path)),
        judge=lambda answer: judge_download(answer, installer, url),
    )


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
    return not_downloaded(url, answer.stderr) if digest is None else mobility.wrong_digest(installer, digest)


def not_downloaded(url: str, stderr: str) -> SetupError:
    """Return the error of a download that left no file."""
    said = next((line.strip() for line in stderr.splitlines() if line.strip()), "nothing")
    return SetupError(
        f"the host could not download {url}: {said[:300]}",
        code="DownloadFailed",
        cause="The name does not resolve, the way out is closed, or the host cannot speak the server's TLS version.",
        remedy="Open TCP 443 to that server, or put the file on a server in the network and give its url with its "
        "sha256.",
    )
