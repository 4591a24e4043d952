"""What is known of a Windows server that is, or is to become, an appliance of Site Recovery.

Source: Windows documentation for what the commands print; what is judged is in ``server_findings``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from asr_migrate.hosts import server_probe, server_urls, windows_facts
from asr_migrate.hosts import windows_output as output
from asr_migrate.hosts.plan import Answer
from asr_migrate.hosts.server_want import ServerWant

#: The drives that may be installed to, besides the one that the user names.
DATA_DRIVES = ("d:", "e:")
#: The policies that stop setup, by the Group Policy editor's words, and when a key's values (lower case) set them.
_POLICIES: Mapping[str, Callable[[dict[str, str]], bool]] = {
    "Prevent access to registry editing tools": lambda values: bool(output.number(values, "DisableRegistryTools")),
    "Prevent access to the command prompt": lambda values: bool(output.number(values, "DisableCMD")),
    "Trust logic for file attachments": lambda values: output.number(values, "UseTrustedHandlers") == 3,
    "Turn on Script Execution": lambda values: (
        values.get("executionpolicy", "").lower() in ("allsigned", "restricted")
        or output.number(values, "EnableScripts") == 0
    ),
}
_SITE = re.compile(r"<site\s[^>]*\bname=\"([^\"]+)\"")
_IMAGE = re.compile(r'^"([^"]+)"', re.MULTILINE)


@dataclass(frozen=True)
class Adapter:
    """One network adapter with an address: whether DHCP gives it."""

    address: str
    dhcp: bool


@dataclass(frozen=True)
class ServerFacts:
    """What is known of a server.

    ``restrictions`` are the policies of machine and user that are set, by the words of the Group Policy editor.
    ``culture`` and ``ui_language`` (``en-US``) are those of the user who connects; empty when Windows does not say.
    ``restart_for`` says why a restart is pending (``servicing``, ``update``, ``file rename``, ``update installer``).
    ``listening`` tells of the host's own ports; ``registered`` whether Site Recovery's registration key is there;
    ``last_shutdown`` changes with every restart; ``notes`` are our own, names in lower case; ``left`` are files in our
    working directory; ``urls`` is reached by host name.
    """

    windows: windows_facts.WindowsFacts
    install_language: str
    culture: str
    ui_language: str
    restrictions: tuple[str, ...]
    fips: bool
    tls_1_0: bool
    restart_for: tuple[str, ...]
    registered: bool
    listening: Mapping[int, bool | None]
    reached: Mapping[tuple[str, int], bool | None]
    physical_cores: int | None
    memory_bytes: int | None
    adapters: tuple[Adapter, ...]
    last_shutdown: str
    version: str | None
    notes: Mapping[str, str]
    left: tuple[str, ...]
    web_sites: tuple[str, ...]
    programs: frozenset[str]
    urls: Mapping[str, bool | None]

    def as_dict(self) -> dict[str, Any]:
        """Return the facts for a result."""
        return {
            **self.windows.as_dict(),
            "install_language": self.install_language,
            "fips": self.fips,
            "tls_1_0": self.tls_1_0,
            "culture": self.culture,
            "ui_language": self.ui_language,
            "reboot_pending": bool(self.restart_for),
            "registered": self.registered,
            "physical_cores": self.physical_cores,
            "memory_gib": windows_facts.gib(self.memory_bytes),
            "version": self.version,
            "services": {name: state for name, state in self.windows.states.items() if name != "w32time"},
            "reached": {f"{address}:{port}": answered for (address, port), answered in self.reached.items()},
            "urls": dict(self.urls),
        }


def read(
    answer: Answer, ports: tuple[int, ...], want: ServerWant, wanted_urls: tuple[server_urls.Url, ...]
) -> tuple[ServerFacts, output.Sections]:
    """Return the facts and all sections of a server's probe. Raises SetupError when it is no Windows host."""
    common, found = windows_facts.read(answer)
    loopback = output.reached(found, [("127.0.0.1", port) for port in ports])
    facts = ServerFacts(
        windows=common,
        install_language=output.registry_values(found["language"]).get("installlanguage", ""),
        culture=output.registry_values(found["culture"]).get("localename", ""),
        ui_language=_ui_language(found),
        restrictions=_restrictions(found),
        fips=output.number(output.registry_values(found["fips"]), "Enabled") == 1,
        tls_1_0=all(_tls_enabled(output.registry_values(found[name])) for name in ("tls_server", "tls_client")),
        restart_for=_restart_for(found["reboot"]),
        registered=0 in found["registration"].exit_codes,
        listening={port: answered for (_, port), answered in loopback.items()},
        reached=output.reached(found, want.reach),
        physical_cores=_sum(found["processors"]),
        memory_bytes=_sum(found["memory"]),
        adapters=_adapters(found["interfaces"]),
        last_shutdown=output.registry_values(found["shutdown"]).get("shutdowntime", ""),
        version=server_probe.installed_version(found["product"]),
        notes=output.registry_values(found["notes"]),
        left=tuple(line.strip() for line in found["left"].lines if line.strip()),
        web_sites=tuple(_SITE.findall(found["sites"].text)),
        programs=frozenset(name.lower() for name in _IMAGE.findall(found["programs"].text)),
        urls=server_urls.reached(found, wanted_urls, want.proxy),
    )
    return facts, found


def _ui_language(found: output.Sections) -> str:
    """Return the first language that the user prefers, else that of the machine."""
    for name in ("user_languages", "machine_languages"):
        languages = output.registry_values(found[name]).get("preferreduilanguages", "")
        if languages:
            return languages.split("\\0")[0]
    return ""


def _restrictions(found: output.Sections) -> tuple[str, ...]:
    """Return the policies that are set in at least one of their keys; the user's and the machine's do not make up."""
    keys = [*output.registry_tree(found["policies"]).values(), *output.registry_tree(found["restrictions"]).values()]
    plain = [{name: value.data for name, value in values.items()} for values in keys]
    return tuple(policy for policy, is_set in _POLICIES.items() if any(is_set(values) for values in plain))


def _restart_for(section: output.Section) -> tuple[str, ...]:
    """Return why a restart is pending, by the exit codes of three queries and one value."""
    reasons = ("servicing", "update", "file rename")
    found = tuple(reason for reason, code in zip(reasons, section.exit_codes, strict=False) if code == 0)
    volatile = output.registry_values(section).get("updateexevolatile", "")
    return (*found, "update installer") if volatile.lower() not in ("", "0", "0x0") else found


def _tls_enabled(protocol: dict[str, str]) -> bool:
    """TLS 1.0 is on unless its key says otherwise (Windows documentation, TLS registry settings)."""
    return output.number(protocol, "Enabled") != 0 and output.number(protocol, "DisabledByDefault") != 1


def _sum(section: output.Section) -> int | None:
    """Return the sum of the first numbers of the lines, one a socket or machine; None when there is none."""
    numbers = [int(found.group(1)) for line in section.lines if (found := re.match(r"\s*(\d+)", line))]
    return sum(numbers) if numbers else None


def _adapters(section: output.Section) -> tuple[Adapter, ...]:
    """Return the adapters that have an address, each a subkey of its own in ``reg query KEY /s``."""
    made = []
    for typed in output.registry_tree(section).values():
        values = {name: value.data for name, value in typed.items()}
        dhcp = output.number(values, "EnableDHCP") == 1
        address = values.get("dhcpipaddress" if dhcp else "ipaddress", "").split("\\0")[0]
        if address and address != "0.0.0.0":
            made.append(Adapter(address, dhcp))
    return tuple(made)
