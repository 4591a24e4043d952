"""What a PowerShell session fetches from the web: Net.WebClient, and the proxy between a host and the world.

A host with a proxy (``Condition.proxy``) reaches no name of the internet in another way: names do not even resolve.
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from asr_lab.hosts.windows.errors import PowerShellError
from asr_lab.hosts.windows.state import Host

_CALLED = 'Exception calling "DownloadFile" with "2" argument(s): '


@dataclass
class Credential:
    """A Net.NetworkCredential."""

    user: str
    password: str


@dataclass
class WebProxy:
    """A Net.WebProxy: its address as a URL, and who logs in."""

    address: str
    credentials: Credential | None = None


@dataclass
class WebClient:
    """A Net.WebClient; without a proxy of its own it goes directly."""

    proxy: WebProxy | None = None


def download(host: Host, client: WebClient, url: str, path: str, *, tls12: bool) -> None:
    """Fetch a URL to a file. Raises PowerShellError with the texts of .NET."""
    name = urlsplit(url).hostname or ""
    if refusal := way_out(host, client.proxy):
        raise _failed(refusal.format(name=name))
    if url.startswith("https:") and not tls12:
        raise _failed("The request was aborted: Could not create SSL/TLS secure channel.")
    data = host.uplink.download(url)
    if data is None:
        raise _failed(f"The remote name could not be resolved: '{name}'")
    free = host.free_bytes(path[:2])
    if free is None or free < len(data) or not host.files.is_folder(path.rpartition("\\")[0]):
        raise _failed("An exception occurred during a WebClient request.")
    host.files.write(path, data)


def way_out(host: Host, proxy: WebProxy | None) -> str | None:
    """Return why a request does not get out of the host by ``proxy`` (None: directly), with ``{name}`` for the name."""
    only: dict[str, Any] | None = host.condition.proxy
    if proxy is None:
        return "The remote name could not be resolved: '{name}'" if only else None
    place = urlsplit(proxy.address)
    address, port = place.hostname or "", place.port or 80
    wrong = only is not None and (address, port) != (only["address"], only["port"])
    with host.lock.paused():
        if wrong or not host.uplink.connects(host.spec.address, address, port):
            return "Unable to connect to the remote server"
    given = proxy.credentials
    if (
        only
        and only.get("user")
        and (given is None or (given.user, given.password) != (only["user"], only["password"]))
    ):
        return "The remote server returned an error: (407) Proxy Authentication Required."
    return None


def _failed(text: str) -> PowerShellError:
    return PowerShellError(f'{_CALLED}"{text}"', "WebException")
