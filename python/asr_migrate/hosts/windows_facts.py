"""What a probe of a Windows host says, as facts of a machine."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from asr_migrate.domain.errors import SetupError
from asr_migrate.hosts import windows_output as output
from asr_migrate.hosts.checks import clock_skew_s
from asr_migrate.hosts.plan import Answer
from asr_migrate.hosts.windows_probe import TIME_SERVICE

ADMINISTRATORS = "S-1-5-32-544"
HIGH_INTEGRITY = "S-1-16-12288"
SYSTEM_INTEGRITY = "S-1-16-16384"

BITS = {"amd64": 64, "ia64": 64, "arm64": 64, "x86": 32}
FIRMWARE = {1: "BIOS", 2: "UEFI"}
#: Services of paravirtual drivers by maker; AWS's are told from Citrix's, which carry the same names, by AWS's own key.
REDHAT_PV = ("rhelscsi", "rhelnet", "rhelfltr")
XEN_PV = ("xenvbd", "xenevtchn", "xenbus")
NVME = "awsnvme"

_EDITION = re.compile(r"\b(Windows Server \d{4}(?: R2)?)\b", re.IGNORECASE)
_SERVICE_PACK = re.compile(r"(\d+)\s*$")


@dataclass(frozen=True)
class WindowsFacts:
    """What every profile reads of a Windows host.

    ``states`` are service states by lower-case name, ``installed`` all service names.
    """

    os_name: str
    build: str
    installation_type: str
    service_pack: int
    bits: int
    cores: int | None
    host_name: str
    addresses: tuple[str, ...]
    utc: str | None
    skew_s: float | None
    installed: frozenset[str]
    states: Mapping[str, str]
    administrator: bool
    elevated: bool
    policies: Mapping[str, str]
    free_bytes: Mapping[str, int | None]

    @property
    def time_service(self) -> str:
        """The state of the Windows Time service; ``missing`` when it is not installed."""
        return self.states.get(TIME_SERVICE, "missing")

    def as_dict(self) -> dict[str, Any]:
        """Return the facts for a result; sizes in GiB."""
        return {
            "os": "windows",
            "os_name": self.os_name,
            "os_build": self.build,
            "installation_type": self.installation_type,
            "service_pack": self.service_pack,
            "bits": self.bits,
            "cores": self.cores,
            "host_name": self.host_name,
            "addresses": list(self.addresses),
            "utc": self.utc,
            "clock_skew_s": self.skew_s,
            "time_service": self.time_service,
            "administrator": self.administrator,
            "free_gib": {disk: gib(free) for disk, free in self.free_bytes.items()},
        }


def gib(size: int | None) -> float | None:
    """Return bytes as GiB with two decimals; None stays None."""
    return None if size is None else round(size / 2**30, 2)


def read(answer: Answer) -> tuple[WindowsFacts, output.Sections]:
    """Return the facts and all sections of a probe.

    SetupError when the registry gave no answer, which every Windows host gives.
    """
    found = output.sections(answer.stdout)
    system = output.registry_values(found["os"])
    if not system:
        raise unreadable(answer)
    environment = output.registry_values(found["environment"])
    host_utc = output.utc(found["clock"])
    pack = _SERVICE_PACK.search(system.get("csdversion", ""))
    groups = output.sids(found["identity"])
    facts = WindowsFacts(
        os_name=os_name(system),
        build=system.get("currentbuild", system.get("currentbuildnumber", "")),
        installation_type=system.get("installationtype", ""),
        service_pack=int(pack.group(1)) if pack else 0,
        bits=BITS.get(environment.get("processor_architecture", "").lower(), 64),
        cores=output.number(environment, "NUMBER_OF_PROCESSORS"),
        host_name=found["identity"].first,
        addresses=output.own_addresses(found["addresses"]),
        utc=host_utc.isoformat() if host_utc else None,
        skew_s=clock_skew_s(host_utc, answer.sent, answer.received) if host_utc else None,
        installed=frozenset(output.registry_subkeys(found["services"])),
        states=output.service_states(found["states"]),
        administrator=ADMINISTRATORS in groups,
        elevated=HIGH_INTEGRITY in groups or SYSTEM_INTEGRITY in groups,
        policies=output.registry_values(found["policies"]),
        free_bytes={
            name[5:]: output.free_bytes(section) for name, section in found.items() if name.startswith("disk ")
        },
    )
    return facts, found


def unreadable(answer: Answer) -> SetupError:
    """Return the error for a host whose answer holds no registry values."""
    said = (answer.stderr or answer.stdout).strip().splitlines()
    heard = said[0][:200] if said else f"nothing (exit code {answer.exit_code})"
    return SetupError(
        f"the host did not answer as a Windows host: {heard}",
        code="HostNotReadable",
        cause="It is no Windows host, its answer was cut off, or a policy forbids registry tools or the command "
        "prompt.",
        remedy=(
            "Check asr_os and the connection variables of this host; on Windows, switch the group policies "
            "'Prevent access to registry editing tools' and 'Prevent access to the command prompt' off for this user."
        ),
    )


def os_name(system: Mapping[str, str]) -> str:
    """Return name, version and service pack without the edition, for example ``Windows Server 2008 R2 SP1``."""
    product = system.get("productname", "")
    named = _EDITION.search(product)
    pack = _SERVICE_PACK.search(system.get("csdversion", ""))
    return (named.group(1) if named else product) + (f" SP{pack.group(1)}" if pack else "")


def pv_driver(installed: frozenset[str], aws_pv: Mapping[str, str]) -> str:
    """Return whose Xen drivers run the host: ``aws``, ``citrix``, ``redhat`` or ``none``."""
    if any(name in installed for name in REDHAT_PV):
        return "redhat"
    if aws_pv.get("version"):
        return "aws"
    return "citrix" if any(name in installed for name in XEN_PV) else "none"
