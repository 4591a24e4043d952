"""The states that a Windows host starts from: one YAML file for each version of Windows Server, over ``common.yml``."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

import yaml

from asr_lab.arm.estate import HostDescription
from asr_lab.hosts.windows import firewall
from asr_lab.hosts.windows.registry import Registry
from asr_lab.hosts.windows.services import STARTS, Services

VERSIONS = ("2008r2", "2012", "2012r2", "2016", "2019", "2022", "2025")
SERVER_2008_R2 = 7601
"""The build number of Windows Server 2008 R2 SP1."""


EC2_SERVICES = (123, 249, 250, 251, 253, 254)
"""The last part of the addresses 169.254.169.x at which EC2 offers time, activation, names and metadata."""


@dataclass(frozen=True)
class Flavour:
    """A version of Windows Server.

    ``version`` is the kernel's (6.1.7601), ``tls12`` whether .NET speaks TLS 1.2 without being told and
    ``knows_tls12`` whether it has a name for it, ``bitlocker`` whether that feature is installed, ``system_bytes`` what
    Windows itself takes of drive C. The rest is written to the host's registry when it is made.
    """

    name: str
    os_name: str
    version: str
    powershell: str
    tls12: bool
    knows_tls12: bool
    bitlocker: bool
    system_bytes: int
    registry: Mapping[str, Mapping[str, Any]]
    services: Mapping[str, Mapping[str, Any]]
    firewall_version: str
    firewall_rules: tuple[Mapping[str, Any], ...]

    @property
    def build(self) -> int:
        """Return the build number, such as 7601."""
        return int(self.version.rsplit(".", 1)[1])

    def furnish(self, registry: Registry, services: Services, machine: HostDescription) -> None:
        """Fill an empty registry with what a fresh installation on ``machine`` holds."""
        for path, values in self.registry.items():
            registry.write(path, values)
        host_name = machine.host_name
        self._network(registry, machine)
        names = r"HKLM\SYSTEM\CurrentControlSet\Control\ComputerName"
        for key in ("ActiveComputerName", "ComputerName"):
            registry.set(f"{names}\\{key}", "ComputerName", host_name.upper()[:15])
        guid = str(uuid5(NAMESPACE_DNS, f"{machine.host_id}-machine"))
        registry.set(r"HKLM\SOFTWARE\Microsoft\Cryptography", "MachineGuid", guid)
        parameters = r"HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters"
        registry.write(parameters, {"Hostname": host_name, "NV Hostname": host_name, "Domain": ""})
        # Windows notes how it was started since Server 2012: 1 BIOS, 2 UEFI.
        if self.build > SERVER_2008_R2:
            control = r"HKLM\SYSTEM\CurrentControlSet\Control"
            registry.write(control, {"PEFirmwareType": 2 if machine.firmware == "UEFI" else 1})
        for name, row in self.services.items():
            services.install(
                name,
                row.get("display", name),
                row["image"],
                start=STARTS[row.get("start", "auto")],
                kind=int(row.get("type", 0x20)),
                run=bool(row.get("running", True)),
                delayed=bool(row.get("delayed")),
                trigger=bool(row.get("trigger")),
            )
        firewall.store(registry, (firewall.compose(self.firewall_version, row) for row in self.firewall_rules))

    def _network(self, registry: Registry, machine: HostDescription) -> None:
        """Write the adapters, and the routes to EC2's own services that EC2Config and EC2Launch keep."""
        parameters = r"HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters"
        for number, address in enumerate(machine.addresses):
            gateway = address.rsplit(".", 1)[0] + ".1"
            guid = str(uuid5(NAMESPACE_DNS, f"{machine.host_id}-{number}")).upper()
            registry.write(
                f"{parameters}\\Interfaces\\{{{guid}}}",
                {
                    "EnableDHCP": 1,
                    "DhcpIPAddress": address,
                    "DhcpSubnetMask": "255.255.255.0",
                    "DhcpDefaultGateway": [gateway],
                },
            )
        gateway = machine.addresses[0].rsplit(".", 1)[0] + ".1"
        for last in EC2_SERVICES:
            registry.set(f"{parameters}\\PersistentRoutes", f"169.254.169.{last},255.255.255.255,{gateway},15", "")


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for key, value in over.items():
        old = result.get(key)
        result[key] = _merged(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return result


def _read(name: str) -> dict[str, Any]:
    text = (files("asr_lab.hosts.windows") / "flavours" / f"{name}.yml").read_text(encoding="utf-8")
    data = yaml.safe_load(text)
    if not isinstance(data, dict):
        raise ValueError(f"flavours/{name}.yml holds no mapping")
    return data


@cache
def flavour(name: str) -> Flavour:
    """Return a flavour by name (one of ``VERSIONS``). Raises ValueError for another."""
    if name not in VERSIONS:
        raise ValueError(f"flavour: {name!r} is not known; choose one of {', '.join(VERSIONS)}")
    data = _merged(_read("common"), _read(name))
    rules = [row for row in data["firewall"].values() if row]
    return Flavour(
        name=name,
        os_name=data["os_name"],
        version=data["version"],
        powershell=data["powershell"],
        tls12=bool(data["tls12"]),
        knows_tls12=bool(data["knows_tls12"]),
        bitlocker=bool(data["bitlocker"]),
        system_bytes=int(data["system_gib"]) * 1024**3,
        registry=data["registry"],
        services=data["services"],
        firewall_version=data["firewall_version"],
        firewall_rules=tuple(rules),
    )
