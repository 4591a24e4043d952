"""The host names that an appliance must reach, how they are tried, and what is found when it does not reach one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from asr_migrate.domain.readiness_rule import Finding
from asr_migrate.hosts import windows_text as text
from asr_migrate.hosts.plan import blocker, warning
from asr_migrate.hosts.quoting import native, powershell
from asr_migrate.hosts.server_want import Proxy, ServerWant
from asr_migrate.hosts.windows_output import Section, Sections

PORT, TIME_PORT = 443, 123
_OFFSET = re.compile(r",\s*[+-]\d+[.,]\d+s\b")
_SOURCE = "Site Recovery documentation, URLs of an appliance"


@dataclass(frozen=True)
class Url:
    """One row: the documented ``pattern``, the host name to try (None: none is known), and whether it is needed.

    ``time`` says that it is a time server, which is asked on UDP 123 and never through a proxy.
    """

    pattern: str
    host: str | None
    why: str
    needed: bool
    time: bool = False

    @property
    def port(self) -> str:
        """The port that is tried, as people write it."""
        return f"UDP {TIME_PORT}" if self.time else f"TCP {PORT}"


@cache
def _rows() -> Mapping[str, list[dict[str, Any]]]:
    rows: dict[str, list[dict[str, Any]]] = yaml.safe_load(
        files(__package__).joinpath("server_urls.yml").read_text("utf-8")
    )
    return rows


def urls(architecture: str, want: ServerWant) -> tuple[Url, ...]:
    """Return what is tried; the user's ``want.urls`` name a host for a pattern, or None for a pattern left out."""
    if not want.check_urls:
        return ()
    made = []
    for row in _rows()[architecture]:
        own = row.get("government") if want.government else None
        for pattern in [own] if isinstance(own, str) else own or [row["pattern"]]:
            host = None if "*" in pattern else pattern
            host = host if own else row.get("host", host)
            if pattern in want.urls and want.urls[pattern] is None:
                continue
            host = want.urls.get(pattern, host)
            made.append(Url(pattern, host, row["why"], row.get("needed", True), row.get("time", False)))
    return tuple(made)


def lines(wanted: tuple[Url, ...], proxy: Proxy | None) -> list[str]:
    """Return the tries, each in a section ``url HOST``."""
    made: list[str] = []
    for host, time in dict.fromkeys((url.host, url.time) for url in wanted if url.host):
        if time:
            tried = f"w32tm /stripchart {native(f'/computer:{host}')} /samples:1 /dataonly"
        else:
            tried = connect_through(proxy, host) if proxy else text.connect(host, PORT)
        made += text.section(f"url {host}", tried)
    return made


def connect_through(proxy: Proxy, host: str) -> str:
    """Print the first twelve characters of a proxy's answer to CONNECT (``HTTP/1.1 200``), or ``closed``.

    Without the user's name: a proxy that asks for it answers 407, which shows that it is there (RFC 9110, CONNECT).
    """
    ask = f'"CONNECT {host}:{PORT} HTTP/1.1`r`nHost: {host}:{PORT}`r`n`r`n"'
    return (
        f"$c = New-Object Net.Sockets.TcpClient; try {{ $c.Connect({powershell(proxy.address)}, {proxy.port}); "
        f"$s = $c.GetStream(); $b = [Text.Encoding]::ASCII.GetBytes({ask}); $s.Write($b, 0, $b.Length); "
        "$n = $s.Read($b, 0, 12); echo ([Text.Encoding]::ASCII.GetString($b, 0, $n)) } catch { echo 'closed' }; "
        "$c.Close()"
    )


def reached(found: Sections, wanted: tuple[Url, ...], proxy: Proxy | None) -> dict[str, bool | None]:
    """Return by host name whether it was reached; None when the server gave no answer, or the proxy wants a login."""
    return {
        url.host: _told_the_time(section) if url.time else _answered(section.first, proxy)
        for url in wanted
        if url.host
        for section in (found[f"url {url.host}"],)
    }


def _told_the_time(section: Section) -> bool | None:
    """Return whether ``w32tm /stripchart`` printed an offset (``12:00:00, +00.0005000s``); None: it said nothing."""
    return bool(_OFFSET.search(section.text)) if section.first else None


def _answered(word: str, proxy: Proxy | None) -> bool | None:
    if not proxy:
        return {"open": True, "closed": False}.get(word)
    status = word.partition(" ")[2]
    if status == "407":
        return None
    return status == "200" if word.startswith("HTTP/") else ({"closed": False}.get(word))


def findings(name: str, wanted: tuple[Url, ...], seen: Mapping[str, bool | None], proxy: Proxy | None) -> list[Finding]:
    """Return a finding for each host name that is not reached, and one for all that could not be tried."""
    way = f" through the proxy {proxy.address}:{proxy.port}" if proxy else ""
    found, untried = [], []
    for url in wanted:
        answered = seen.get(url.host) if url.host else None
        if answered is None:
            untried.append(url.host or url.pattern)
        elif not answered:
            make = blocker if url.needed else warning
            direct = not proxy or url.time
            opened = "outbound in security group, network ACL, route and firewall" if direct else "in the proxy's rules"
            found.append(
                make(
                    "server.url",
                    f"{name} does not reach {url.host} on {url.port}{'' if direct else way} ({url.pattern}: {url.why})",
                    f"Open {url.port} to {url.pattern} {opened}, and check that {name} resolves the name; if another "
                    "name is the right one for you, give it in asr_appliance.want.urls.",
                    _SOURCE,
                )
            )
    if untried:
        found.append(
            warning(
                "server.url-untried",
                f"whether {name} reaches {', '.join(untried)}{way} could not be tried",
                "Give a host name for each wildcard in asr_appliance.want.urls (null leaves one out), or open them and "
                "go on.",
                _SOURCE,
            )
        )
    return found
