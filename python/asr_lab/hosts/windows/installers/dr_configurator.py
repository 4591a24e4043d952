"""``DRConfigurator.exe /r``: registers a server that Unified Setup installed with a vault; and the agent's proxy.

Arguments are those of the Site Recovery documentation (Hyper-V provider) and of Microsoft's published setup sources.
That a server which another vault knows is refused, and the exit codes, are the lab's.
"""

import re

from asr_lab.hosts.windows import web
from asr_lab.hosts.windows.errors import PowerShellError
from asr_lab.hosts.windows.installers.arguments import BadArgumentError, parse
from asr_lab.hosts.windows.installers.unified_setup import REGISTRATION, register
from asr_lab.hosts.windows.result import Result, failed, ok
from asr_lab.hosts.windows.state import Host

_VALUES = ("FriendlyName", "Credentials", "LogFileName", "ProxyAddress", "ProxyPort", "ProxyUserName", "ProxyPassword")
AGENT_PROXY = r"HKLM\SOFTWARE\Microsoft\Windows Azure Backup\Config\CloudBackupProvider\Proxy"


def configure(host: Host, _version: str, words: list[str]) -> Result:
    """Carry out ``/r /Credentials FILE [/FriendlyName NAME] [/ProxyAddress URL /ProxyPort N]``; exit code 0 or 1."""
    try:
        given = parse(words, switches=("r",), values=_VALUES)
    except BadArgumentError as wrong:
        return failed(1, str(wrong))
    key = host.files.read(given.value("Credentials") or r"C:\none")
    if not given.has("r") or not key:
        return failed(1, "Give /r and /Credentials with the file of the vault registration key.")
    address = given.value("ProxyAddress")
    proxy = web.WebProxy(f"{address}:{given.value('ProxyPort') or 80}") if address else None
    if refusal := web.way_out(host, proxy):
        return failed(1, f"post request: (7) {refusal.format(name='Azure')}")
    vault = re.search(rb"<ResourceName>([^<]*)</ResourceName>", key)
    known = host.registry.text(REGISTRATION, "ResourceName")
    if known is not None and vault and known != vault.group(1).decode():
        return failed(1, f"This server is registered with another vault: {known}.")
    reason = register(host, key)
    return failed(1, reason) if reason else ok("Registration with the vault succeeded.")


def set_agent_proxy(host: Host, words: list[str]) -> Result:
    """``Set-OBMachineSetting -ProxyServer URL -ProxyPort N``, a cmdlet of the Recovery Services agent."""
    given = dict(zip((word.lower() for word in words[::2]), words[1::2], strict=False))
    known = {"-proxyserver", "-proxyport", "-proxyusername", "-proxypassword", "-erroraction"}
    if set(given) - known or not given.get("-proxyserver", "").startswith("http://") or len(words) % 2:
        raise PowerShellError("Set-OBMachineSetting: A parameter cannot be found.", "NamedParameterNotFound")
    if host.services.find("obengine") is None:
        raise PowerShellError("The term 'Set-OBMachineSetting' is not recognized.", "CommandNotFoundException")
    host.registry.write(AGENT_PROXY, {"Server": given["-proxyserver"], "Port": given.get("-proxyport", "80")})
    return ok()
