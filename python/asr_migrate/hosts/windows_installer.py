"""Installers on Windows in general: how one gets to the host, and how the steps of an installation are judged."""

from __future__ import annotations

from asr_migrate.domain.errors import AsrMigrateError, SetupError
from asr_migrate.hosts import mobility
from asr_migrate.hosts import windows_output as output
from asr_migrate.hosts import windows_text as text
from asr_migrate.hosts.masking import masked
from asr_migrate.hosts.mobility_want import Installer
from asr_migrate.hosts.plan import Answer, Exchange
from asr_migrate.hosts.server_want import Proxy


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
    """Return the first step that failed, or that none was begun.

    3010 is success that wants a reboot (Windows Installer documentation).
    """
    found = output.sections(answer.stdout)
    if refused := not_private(found):
        return refused
    if answer.exit_code and not any(section.exit_codes for section in found.values()):
        return StepError("PowerShell", answer.exit_code, answer.stderr.strip()[-2000:])
    for name, section in found.items():
        if section.exit_codes and section.exit_codes[-1] not in (0, 3010):
            said = section.text.strip() or answer.stderr.strip()
            return StepError(name, section.exit_codes[-1], said[-2000:])
    return None


def fetch(installer: Installer, path: str, proxy: Proxy | None = None) -> Exchange | None:
    """Return the download of an installer to ``path``, or the check of one that is on the host and has a sha256.

    ``proxy`` is the way that the download takes. None when there is nothing to fetch and nothing to check.
    """
    url = installer.url
    if not url:
        return _check(installer)
    login = (proxy.user, proxy.password.get_secret_value()) if proxy and proxy.user else ()
    return text.exchange(
        f"download {installer.place}",
        text.make_private_directory(text.WORK_DIRECTORY),
        text.delete_files(path),
        text.section("download", *text.download(url, path, proxy.url if proxy else None, login=bool(login))),
        text.section("sha256", text.sha256(path)),
        contents=[word.encode() for word in login],
        judge=lambda answer: judge_download(answer, installer, proxy),
    )


def _check(installer: Installer) -> Exchange | None:
    if not installer.path or not installer.sha256:
        return None
    return text.exchange(
        f"check {installer.path}",
        text.section("sha256", text.sha256(installer.path)),
        judge=lambda answer: judge_check(answer, installer),
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


def not_private(found: output.Sections) -> SetupError | None:
    """Return the error of a text that ended because its working directory could not be made private, or None."""
    if not found["work directory"].exit_codes:
        return None
    return SetupError(
        f"{text.WORK_DIRECTORY} could not be made a directory that only administrators may read",
        code="WorkDirectoryNotPrivate",
        cause="The account is no administrator, icacls or cmd.exe is forbidden by policy, or something is in the way.",
        remedy=f"Run icacls {text.WORK_DIRECTORY} as administrator on the host to see why, delete what stands there, "
        "and run again.",
    )


def judge_download(answer: Answer, installer: Installer, proxy: Proxy | None = None) -> AsrMigrateError | None:
    """Return the error of a download that left no file, or a file with another SHA-256."""
    found = output.sections(answer.stdout)
    if refused := not_private(found):
        return refused
    digest = output.sha256(found["sha256"])
    if digest is None:
        password = (proxy.password.get_secret_value(),) if proxy else ()
        return not_downloaded(installer.place, masked(answer.stderr, (*installer.secrets, *password)), proxy)
    return mobility.wrong_digest(installer, digest)


def judge_check(answer: Answer, installer: Installer) -> AsrMigrateError | None:
    """Return the error of a file on the host that is not there, or that has another SHA-256 than the one given."""
    digest = output.sha256(output.sections(answer.stdout)["sha256"])
    if digest is not None:
        return mobility.wrong_digest(installer, digest)
    return SetupError(
        f"the installer {installer.path} is not on the host, or cannot be read",
        code="InstallerNotReachable",
        cause="The path is another one, or the account may not read the file.",
        remedy="Copy the file to that path on the host, or give its url with its sha256.",
    )


def not_downloaded(place: str, stderr: str, proxy: Proxy | None = None) -> SetupError:
    """Return the error of a download that left no file; ``place`` is a URL as ``urls.shown`` gives it."""
    said = next((line.strip() for line in stderr.splitlines() if line.strip()), "nothing")
    way = f" through the proxy {proxy.address}:{proxy.port}" if proxy else ""
    return SetupError(
        f"the host could not download {place}{way}: {said[:300]}",
        code="DownloadFailed",
        cause="The name does not resolve, the way out is closed, or the host cannot speak the server's TLS version."
        if not proxy
        else "The proxy does not answer, wants another user or password, or does not let this name through.",
        remedy="Open TCP 443 to that server, or put the file on a server in the network and give its url with its "
        "sha256."
        if not proxy
        else "Correct asr_appliance.proxy, let that server through, or copy the file to the host and give its path.",
    )
