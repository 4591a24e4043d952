"""Push installation of the Mobility service: what Site Recovery needs of a Windows machine, and what it leaves there.

Error identifiers, causes and remedies are those of "Troubleshoot Mobility service push installation".
"""

from asr_lab.arm.estate import PushFailure
from asr_lab.hosts.windows import firewall
from asr_lab.hosts.windows.disks import layout
from asr_lab.hosts.windows.installers import mobility, packages
from asr_lab.hosts.windows.state import Host

POLICIES = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System"
SHARES = r"HKLM\SYSTEM\CurrentControlSet\Services\LanmanServer\Parameters"
_MIB = 1024**2
_TEXTS = {
    "95107": (
        "Push installation of the mobility service to the source machine failed with error code EP0858.",
        "The credentials provided to install mobility service are incorrect, the user account has insufficient "
        "privileges, or remote restrictions of user account control filter them.",
        "Ensure that the credentials are right and set LocalAccountTokenFilterPolicy to 1 under "
        r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System on the source machine.",
    ),
    "95117": (
        "Push installation of the mobility service to the source machine failed with error code EP0865.",
        "The source machine is not running, or it is not reachable from the process server.",
        "Ensure that the source machine runs and that its ports 135 and 445 can be reached from the process server.",
    ),
    "95103": (
        "Push installation of the mobility service to the source machine failed with error code EP0854.",
        "Windows Management Instrumentation is not allowed through the firewall of the source machine.",
        "Enable the rule group Windows Management Instrumentation (WMI) in Windows Firewall for all profiles.",
    ),
    "95105": (
        "Push installation of the mobility service to the source machine failed with error code EP0856.",
        "File and Printer Sharing is not allowed through the firewall of the source machine.",
        "Enable the rule group File and Printer Sharing in Windows Firewall for all profiles.",
    ),
    "95106": (
        "Push installation of the mobility service to the source machine failed.",
        "The administrative share of the source machine cannot be reached.",
        "Ensure that the service Server (LanmanServer) runs on the source machine.",
    ),
    "95524": (
        "Push installation of the mobility service to the source machine failed.",
        "The source machine has less than 100 MB free on its system drive.",
        "Free disk space on the source machine.",
    ),
    "95310": (
        "Push installation of the mobility service to the source machine failed.",
        "The source machine has no boot disk.",
        "Ensure that one disk has an active system partition.",
    ),
    "95311": (
        "Push installation of the mobility service to the source machine failed.",
        "The source machine has several boot disks.",
        "Ensure that one disk alone has an active system partition.",
    ),
    "95313": (
        "Push installation of the mobility service to the source machine failed.",
        "The operating system of the source machine lies on several disks.",
        "Move the operating system to one disk.",
    ),
}


def push_failure(host: Host) -> PushFailure | None:
    """Return what stands in the way of a push installation, or None. Nothing is changed."""
    code = _code(host)
    if code is None:
        return None
    message, causes, action = _TEXTS[code]
    return PushFailure(code=code, message=f"{message} ({host.spec.address})", causes=causes, action=action)


def _code(host: Host) -> str | None:
    if not host.answers():
        return "95117"
    if not _open(host, firewall.WMI, 135) or not host.services.is_running("Winmgmt"):
        return "95103"
    if not _open(host, firewall.FILE_SHARING, 445):
        return "95105"
    if not host.services.is_running("LanmanServer") or host.registry.number(SHARES, "AutoShareServer") == 0:
        return "95106"
    # UAC filters the tokens of local accounts only.
    if host.condition.domain is None and host.registry.number(POLICIES, "LocalAccountTokenFilterPolicy") != 1:
        return "95107"
    if (host.free_bytes("C:") or 0) < 100 * _MIB:
        return "95524"
    return _disks(host)


def _open(host: Host, group: str, port: int) -> bool:
    """Return whether a rule group is on and no policy closes its port all the same."""
    return firewall.group_open(host.registry, group) and firewall.lets_in(host.registry, port)


def _disks(host: Host) -> str | None:
    found = layout(host)
    boot = [disk.number for disk in found if disk.boot is not None]
    system = [disk.number for disk in found if "C:" in disk.letters]
    if not boot:
        return "95310"
    if len(boot) > 1:
        return "95311"
    return "95313" if len(system) > 1 else None


def push(host: Host, server: str) -> PushFailure | None:
    """Install and configure the Mobility service for the appliance at ``server``; return what stood in the way, or
    None.
    """
    with host.lock:
        failure = push_failure(host)
        if failure is None and host.agent_version() is None:
            mobility.install(host, packages.VERSION, mobility.MODERNIZED)
            mobility.configured(host, server)
            host.save()
        return failure
