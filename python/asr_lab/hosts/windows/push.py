"""Push installation of the Mobility service: what Site Recovery needs of a Windows machine, and what it leaves there.

Error identifiers, causes and remedies are those of "Troubleshoot Mobility service push installation".
"""

from asr_lab.arm.estate import PushFailure
from asr_lab.hosts.windows import firewall
from asr_lab.hosts.windows.installers import mobility, packages
from asr_lab.hosts.windows.state import Host

POLICIES = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System"
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
    if not firewall.group_open(host.registry, firewall.WMI) or not host.services.is_running("Winmgmt"):
        return "95103"
    if not firewall.group_open(host.registry, firewall.FILE_SHARING):
        return "95105"
    if not host.services.is_running("LanmanServer"):
        return "95106"
    if host.registry.number(POLICIES, "LocalAccountTokenFilterPolicy") != 1:
        return "95107"
    if (host.free_bytes("C:") or 0) < 100 * _MIB:
        return "95524"
    return None


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
