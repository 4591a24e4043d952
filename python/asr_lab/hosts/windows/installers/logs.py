"""Log files that installers leave on a Windows host."""

from asr_lab.hosts.windows.state import Host

SETUP_LOGS = r"C:\ProgramData\ASRSetupLogs"
REGISTRATION_LOGS = r"C:\ProgramData\ASRLogs"


class Log:
    """A log file on a host; every line carries the host's own time."""

    def __init__(self, host: Host, path: str) -> None:
        self._host = host
        self._path = path

    def write(self, *texts: str) -> None:
        """Append lines."""
        stamp = f"{self._host.utc_now():%Y-%m-%d %H:%M:%S}"
        self._host.files.append(self._path, "".join(f"{stamp} {text}\r\n" for text in texts))
