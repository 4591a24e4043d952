"""What a scenario can do to a Windows host from outside: the body of ``POST /_lab/hosts/<name>``.

| Key | Value | Effect |
|---|---|---|
| ``skew_s`` | seconds | the host's clock runs that far ahead (negative: behind) |
| ``time_source`` | true, false | whether its time server answers, so that ``w32tm /resync`` can help |
| ``service`` | {name: running, stopped, disabled} | state (and, for disabled, start type) of services |
| ``registry`` | {key: {name: value or null}} | writes or removes values; ``{key: null}`` removes a key |
| ``firewall`` | {group identifier or English name: true, false} | switches a rule group |
| ``token`` | full, filtered, user | what the connecting user holds: everything, a token cut by the filter, no rights |
| ``built_in`` | true, false | a local user is the built-in Administrator, or one whose token is filtered |
| ``domain`` | name or null | host and user belong to an Active Directory domain, or no longer |
| ``language`` | en-US, de-DE | the display language |
| ``disks`` | {"0": {...}} | ``letters``, ``boot``, ``dynamic``, ``gpt`` of disks, see ``disks`` |
| ``volumes`` | {"C:": [1, 1]} | installs BitLocker; ProtectionStatus and ConversionStatus of volumes |
| ``storage_spaces`` | [names] | virtual disks of storage spaces |
| ``proxy`` | {"address", "port", "user", "password"} or null | the only way to the internet, or none is needed |
| ``proxy_file_form`` | documented, published_source | the form of proxy settings that Unified Setup takes |
| ``free_bytes`` | {"C:": bytes} | what a drive has left |
| ``listening`` | {port: true, false} | a program listens on the port, or no longer |
| ``file`` | {path: text or null} | writes or removes a file |
| ``planted`` | {path: text} | an ordinary user writes files, where Windows lets one |
| ``reset`` | true | the host is as fresh from its image (before everything else) |
"""

from collections.abc import Callable, Mapping
from typing import Any

from asr_lab.hosts.windows import firewall, identity
from asr_lab.hosts.windows.services import STARTS
from asr_lab.hosts.windows.state import MUI, Host

TCPIP = r"HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters"
NLS = r"HKLM\SYSTEM\CurrentControlSet\Control\Nls\Language"
LANGUAGES = {"en-US": "0409", "de-DE": "0407"}
"""Display languages, and their numbers in the registry."""


def apply_fault(host: Host, fault: Mapping[str, Any]) -> None:
    """Change the host. Raises ValueError with a sentence for a key or a value it does not know; nothing is changed
    then.
    """
    unknown = set(fault) - set(_FAULTS)
    if unknown:
        raise ValueError(
            f"{', '.join(sorted(unknown))}: no such fault of a Windows host; known are {', '.join(sorted(_FAULTS))}"
        )
    with host.lock:
        for key, act in _FAULTS.items():
            if key in fault:
                act(host, fault[key])
        host.save()


def _reset(host: Host, value: Any) -> None:
    if value is not True:
        raise ValueError("reset: give true")
    host.reset()


def _skew(host: Host, value: Any) -> None:
    host.condition.skew_s = float(value)


def _time_source(host: Host, value: Any) -> None:
    host.condition.time_source = bool(value)


def _service(host: Host, value: Mapping[str, str]) -> None:
    for name, state in value.items():
        if host.services.find(name) is None or state not in ("running", "stopped", "disabled"):
            raise ValueError(f"service: {name}: {state!r}: give an installed service and running, stopped or disabled")
        if state == "running":
            host.services.running.add(name.lower())
            continue
        host.services.running.discard(name.lower())
        if state == "disabled":
            host.services.set_start(name, STARTS["disabled"])


def _registry(host: Host, value: Mapping[str, Mapping[str, Any] | None]) -> None:
    for path, values in value.items():
        if values is None:
            host.registry.remove(path)
        else:
            host.registry.write(path, values)


def _firewall(host: Host, value: Mapping[str, bool]) -> None:
    for group, active in value.items():
        if not firewall.set_active(host.registry, firewall.of_group(host.registry, group), bool(active)):
            raise ValueError(f"firewall: {group!r} names no rule group of the host")


def _token(host: Host, value: str) -> None:
    if value not in (identity.FULL, identity.FILTERED, identity.USER):
        raise ValueError(f"token: {value!r}: give full, filtered or user")
    host.condition.token = value


def _built_in(host: Host, value: Any) -> None:
    host.condition.built_in = bool(value)


def _domain(host: Host, value: str | None) -> None:
    host.condition.domain = value
    host.registry.write(TCPIP, {"Domain": value or "", "NV Domain": value or ""})
    for name in host.registry.subkeys(firewall.NETWORKS):
        host.registry.write(
            f"{firewall.NETWORKS}\\{name}", {"Category": 2 if value else 0, "Managed": int(bool(value))}
        )
    host.services.set_start("Netlogon", STARTS["auto" if value else "demand"])
    (host.services.running.add if value else host.services.running.discard)("netlogon")


def _language(host: Host, value: str) -> None:
    if value not in LANGUAGES:
        raise ValueError(f"language: {value!r}: give one of {', '.join(LANGUAGES)}")
    host.registry.write(MUI, {"PreferredUILanguages": [value]})
    host.registry.write(NLS, {"Default": LANGUAGES[value], "InstallLanguage": LANGUAGES[value]})


def _disks(host: Host, value: Mapping[str, Mapping[str, Any]]) -> None:
    known = {"letters", "boot", "dynamic", "gpt"}
    for number, changed in value.items():
        wrong = set(changed) - known or isinstance(changed.get("boot"), bool)
        if wrong or not 0 <= int(number) < len(host.spec.description.disks):
            raise ValueError(f"disks: {number}: give the number of a disk and {', '.join(sorted(known))}")
    host.condition.disks = {str(number): dict(changed) for number, changed in value.items()}


def _volumes(host: Host, value: Mapping[str, list[int]]) -> None:
    host.condition.volumes = {letter.upper(): [int(number) for number in states] for letter, states in value.items()}


def _storage_spaces(host: Host, value: list[str]) -> None:
    host.condition.storage_spaces = [str(name) for name in value]


def _proxy(host: Host, value: Mapping[str, Any] | None) -> None:
    known = {"address", "port", "user", "password"}
    if value is not None and (
        not {"address", "port"} <= set(value) <= known or ("user" in value) != ("password" in value)
    ):
        raise ValueError("proxy: give address and port, and user with password where it asks for them; or null")
    host.condition.proxy = None if value is None else {**value, "port": int(value["port"])}


def _proxy_file_form(host: Host, value: str) -> None:
    if value not in ("documented", "published_source"):
        raise ValueError(f"proxy_file_form: {value!r}: give documented or published_source")
    host.condition.proxy_file_form = value


def _free_bytes(host: Host, value: Mapping[str, int]) -> None:
    for drive, count in value.items():
        if drive.upper() not in host.drives():
            raise ValueError(f"free_bytes: the host has no drive {drive}")
        host.condition.free_bytes[drive.upper()] = int(count)


def _listening(host: Host, value: Mapping[str, bool]) -> None:
    for port, listens in value.items():
        (host.condition.listening.add if listens else host.condition.listening.discard)(int(port))


def _file(host: Host, value: Mapping[str, str | None]) -> None:
    for path, text in value.items():
        if text is None:
            host.files.remove(path)
        else:
            host.files.write(path, text.encode())


def _planted(host: Host, value: Mapping[str, str]) -> None:
    """Write files, and the folders above them, as a user without administrator rights could."""
    for path, text in value.items():
        folders = [path.lower()[:place] for place, sign in enumerate(path) if sign == "\\" and place > 2]
        closed = {*_FOR_ADMINISTRATORS, *(folder for folder in host.condition.private if host.files.is_folder(folder))}
        if closed & set(folders):
            raise ValueError(f"planted: {path}: Windows lets only administrators write there")
        made = [folder for folder in folders if not host.files.is_folder(folder)]
        host.condition.planted = sorted({*host.condition.planted, *made})
        host.files.write(path, text.encode())


_FOR_ADMINISTRATORS = (r"c:\windows", r"c:\program files", r"c:\program files (x86)")
"""Folders in which an ordinary user makes nothing (Windows documentation, default rights)."""

_FAULTS: dict[str, Callable[[Host, Any], None]] = {
    "reset": _reset,
    "skew_s": _skew,
    "time_source": _time_source,
    "service": _service,
    "registry": _registry,
    "firewall": _firewall,
    "token": _token,
    "built_in": _built_in,
    "domain": _domain,
    "language": _language,
    "disks": _disks,
    "volumes": _volumes,
    "storage_spaces": _storage_spaces,
    "proxy": _proxy,
    "proxy_file_form": _proxy_file_form,
    "free_bytes": _free_bytes,
    "listening": _listening,
    "file": _file,
    "planted": _planted,
}
