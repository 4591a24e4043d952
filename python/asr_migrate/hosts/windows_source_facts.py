"""What the probe of a Windows machine that is to be replicated says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from asr_migrate.hosts import windows_disks, windows_facts, windows_firewall, windows_probe
from asr_migrate.hosts import windows_output as output
from asr_migrate.hosts.identity import identity
from asr_migrate.hosts.mobility import MobilityState
from asr_migrate.hosts.plan import Answer
from asr_migrate.hosts.windows_mobility import mobility_state
from asr_migrate.hosts.windows_output import RegistryValue

TOKEN_FILTER = "LocalAccountTokenFilterPolicy"
DENY_REMOTE_DESKTOP = "fDenyTSConnections"
SAN_POLICY = "SanPolicy"
REMOTE_DESKTOP_PORT = 3389

#: NT AUTHORITY\Local account: in the token of every local account (Windows documentation, well-known SIDs).
LOCAL_ACCOUNT = "S-1-5-113"
_SERVICES_KEY = "hkey_local_machine\\system\\currentcontrolset\\services\\"
_BUILD_DATE = re.compile(r"\.(\d{6})-\d{4}$")
#: The first day of Windows updates that only a host which understands SHA-2 can install ("SHA-2 code signing support
#: requirement for Windows and WSUS", Windows documentation), as in BuildLabEx.
SHA2_ONLY = "190813"


@dataclass(frozen=True)
class Account:
    """The account that connects: ``name`` (``domain\\user``), ``sid``, and whether it is one of the host's own.

    ``local`` is None when the host did not say.
    """

    name: str = ""
    sid: str = ""
    local: bool | None = None

    @property
    def built_in(self) -> bool:
        """Whether it is the built-in Administrator, whose token is not filtered by default."""
        return self.sid.endswith("-500")


@dataclass(frozen=True)
class Service:
    """How a service starts (``auto``, ``demand``, ...; ``missing``), whether late, and whether it runs.

    Being late means something for ``auto`` only. What triggers a service is none of this: ``sc.exe config`` does not
    touch triggers, so they are there as before when the start type is put back.
    """

    start: str
    delayed: bool
    running: bool

    def as_value(self) -> dict[str, Any]:
        """Return the service as it stands on record."""
        return {"start": self.start, "delayed": self.delayed, "running": self.running}


@dataclass(frozen=True)
class SourceFacts:
    """What is known of a Windows source.

    ``services`` are by the names of ``windows_probe.STARTING_SERVICES``; ``registry`` the values that we may change, by
    full name; ``partition_manager`` the values of its key, or None when there is no such key. ``updates`` are the SHA-2
    updates that are there. ``restart_for`` says why a restart is pending. ``routes`` are persistent routes,
    ``winhttp_proxy`` is empty when there is none. ``identity`` tells the machine from others.
    """

    windows: windows_facts.WindowsFacts
    identity: Mapping[str, str]
    kernel_date: str
    account: Account
    firmware: str | None
    virtualization: str | None
    storage_interface: str | None
    pv_driver: str
    secure_boot: bool
    fips: bool
    services: Mapping[str, Service]
    registry: Mapping[str, RegistryValue]
    partition_manager: frozenset[str] | None
    firewall: windows_firewall.Firewall
    shares_off: bool
    remote_desktop_port: int
    remote_desktop_denied: bool
    updates: frozenset[str]
    restart_for: tuple[str, ...]
    disks: windows_disks.Disks
    routes: tuple[str, ...]
    winhttp_proxy: str
    mobility: MobilityState
    reached: Mapping[tuple[str, int], bool | None]

    @property
    def filters(self) -> bool:
        """Whether Windows Firewall runs; when it does not, no rule of it can be changed, and none is in force."""
        return self.services[windows_probe.FIREWALL_SERVICE].running

    def number(self, key: str, name: str) -> int | None:
        """Return a value that we may change as a number; None when it is not there."""
        value = self.registry.get(registry_name(key, name))
        return value.number if value else None

    def as_dict(self) -> dict[str, Any]:
        """Return the facts for a result."""
        groups = windows_firewall.GROUP_NAMES
        return {
            **self.windows.as_dict(),
            "account": self.account.name,
            "account_is_local": self.account.local,
            "firmware": self.firmware,
            "secure_boot": self.secure_boot,
            "virtualization": self.virtualization,
            "storage_interface": self.storage_interface,
            "pv_driver": self.pv_driver,
            "token_filter_policy": self.number(windows_probe.SYSTEM_POLICIES, TOKEN_FILTER),
            "remote_desktop": self.number(windows_probe.TERMINAL_SERVER, DENY_REMOTE_DESKTOP) == 0,
            "san_policy": self.number(windows_probe.PARTITION_MANAGER, SAN_POLICY),
            "firewall": {name: self.firewall.group(group).state for group, name in groups.items()},
            "restart_pending": list(self.restart_for),
            "boot_disks": list(self.disks.boot),
            "dynamic_disks": list(self.disks.dynamic),
            "persistent_routes": list(self.routes),
            "winhttp_proxy": self.winhttp_proxy,
            "mobility": self.mobility.as_dict(),
            "reached": {f"{address}:{port}": answered for (address, port), answered in self.reached.items()},
        }


def registry_name(key: str, value: str) -> str:
    """Return the name of a registry value on record."""
    return f"{key}\\{value}"


def read(answer: Answer, targets: tuple[tuple[str, int], ...]) -> SourceFacts:
    """Return what a probe's answer says; ``targets`` are what it was to reach."""
    common, found = windows_facts.read(answer)
    bios = output.registry_values(found["bios"])
    makers = " ".join((bios.get("systemmanufacturer", ""), bios.get("systemproductname", ""))).lower()
    firmware = output.number(output.registry_values(found["firmware"]), "PEFirmwareType")
    kernel = _BUILD_DATE.search(output.registry_values(found["os"]).get("buildlabex", ""))
    port = output.number(output.registry_values(found["remote_desktop_port"]), "PortNumber")
    updates = found["updates"].text
    denied = output.number(output.registry_values(found["remote_desktop_policy"]), DENY_REMOTE_DESKTOP)
    return SourceFacts(
        windows=common,
        identity=identity({"machine_guid": output.registry_values(found["machine"]).get("machineguid", "")}),
        kernel_date=kernel.group(1) if kernel else "",
        account=_account(found),
        firmware=windows_facts.FIRMWARE.get(firmware or 0),
        virtualization="hvm" if any(maker in makers for maker in ("xen", "amazon")) else None,
        storage_interface=_storage_interface(common.installed),
        pv_driver=windows_facts.pv_driver(common.installed, output.registry_values(found["aws_pv"])),
        secure_boot=output.number(output.registry_values(found["secure_boot"]), "UEFISecureBootEnabled") == 1,
        fips=output.number(output.registry_values(found["fips"]), "Enabled") == 1,
        services=_services(found, common),
        registry=_registry(found),
        partition_manager=_names(found["san"]),
        firewall=windows_firewall.read(
            output.registry_typed(found["firewall"]),
            output.registry_tree(found["firewall_policy"]),
            output.registry_tree(found["firewall_profiles"]),
        ),
        shares_off=output.number(output.registry_values(found["share"]), "AutoShareServer") == 0,
        remote_desktop_port=port or REMOTE_DESKTOP_PORT,
        remote_desktop_denied=denied == 1,
        updates=frozenset(update for update in windows_probe.SHA2_UPDATES if re.search(rf"_{update}(?!\d)", updates)),
        restart_for=_restart_for(found["reboot"]),
        disks=windows_disks.read(found),
        routes=_routes(found["routes"]),
        winhttp_proxy=_winhttp_proxy(output.registry_values(found["proxy"]).get("winhttpsettings", "")),
        mobility=mobility_state(common, found),
        reached=output.reached(found, targets),
    )


def _account(found: output.Sections) -> Account:
    """Return the account; a local one's name begins with the computer's, or its token says so."""
    said = output.account(found["user"])
    if said is None:
        return Account()
    computer = output.registry_values(found["computer"]).get("computername", "")
    own = LOCAL_ACCOUNT in output.sids(found["identity"])
    return Account(*said, local=own or said[0].partition("\\")[0].lower() == computer.lower())


def _services(found: output.Sections, common: windows_facts.WindowsFacts) -> dict[str, Service]:
    tree = output.registry_tree(found["starts"])
    services = {}
    for name in windows_probe.STARTING_SERVICES:
        values = tree.get(_SERVICES_KEY + name.lower(), {})
        start = values["start"].number if "start" in values else None
        word = output.SERVICE_STARTS.get(start, "missing") if start is not None else "missing"
        late = "delayedautostart" in values and values["delayedautostart"].number == 1
        services[name] = Service(word, late, common.states.get(name.lower()) == "running")
    return services


def _registry(found: output.Sections) -> dict[str, RegistryValue]:
    places = (
        ("policies", windows_probe.SYSTEM_POLICIES, TOKEN_FILTER),
        ("remote_desktop", windows_probe.TERMINAL_SERVER, DENY_REMOTE_DESKTOP),
        ("san", windows_probe.PARTITION_MANAGER, SAN_POLICY),
    )
    typed = {
        registry_name(key, name): output.registry_typed(found[part]).get(name.lower()) for part, key, name in places
    }
    return {name: value for name, value in typed.items() if value}


def _names(section: output.Section) -> frozenset[str] | None:
    """Return what a key holds, values and subkeys, or None when there is no such key.

    ``reg query`` does not print the name of a key without values, so its exit code tells.
    """
    if section.exit_codes[:1] != (0,):
        return None
    tree = output.registry_tree(section)
    own = windows_probe.PARTITION_MANAGER.lower().removeprefix("hklm")
    return frozenset(name for values in tree.values() for name in values) | frozenset(
        key for key in tree if not key.endswith(own)
    )


def _restart_for(section: output.Section) -> tuple[str, ...]:
    """Return why a restart is pending, by the exit codes of three queries."""
    reasons = ("servicing", "update", "file rename")
    return tuple(reason for reason, code in zip(reasons, section.exit_codes, strict=False) if code == 0)


def _routes(section: output.Section) -> tuple[str, ...]:
    """Return persistent routes as ``network/mask via gateway``; EC2's own to link-local addresses are none of ours."""
    split = (name.split(",") for name in output.registry_values(section))
    return tuple(
        f"{parts[0]}/{parts[1]} via {parts[2]}"
        for parts in split
        if len(parts) >= 3 and not parts[0].startswith("169.254.")
    )


def _winhttp_proxy(data: str) -> str:
    """Return the proxy in WinHTTP's setting (hexadecimal), or an empty text.

    It holds DWORDs, little-endian: version, counter, flags (bit 1: a proxy is named), the name's length, the name.
    """
    try:
        raw = bytes.fromhex(data)
    except ValueError:
        return ""
    if len(raw) < 16 or not int.from_bytes(raw[8:12], "little") & 2:
        return ""
    return raw[16 : 16 + int.from_bytes(raw[12:16], "little")].decode("ascii", errors="replace")


def _storage_interface(installed: frozenset[str]) -> str | None:
    """Return ``nvme`` or ``xen`` when only that kind of EC2 driver is installed; an image often carries both."""
    nvme, xen = windows_facts.NVME in installed, any(name in installed for name in windows_facts.XEN_PV)
    if nvme == xen:
        return None
    return "nvme" if nvme else "xen"
