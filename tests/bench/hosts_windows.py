"""A Windows host of the lab for ``make bench-hosts``, and the two ways to prepare it for the push."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.scenarios.harness import LabProcess

from asr_migrate.domain.machine import Os
from asr_migrate.hosts import profiles, windows_probe
from asr_migrate.hosts import windows_text as text
from asr_migrate.hosts.windows_firewall import PUSH_GROUPS
from asr_migrate.hosts.windows_source_facts import TOKEN_FILTER

from .hosts_runs import SOURCE_HOST, Runner, Way

NAME = "Windows, of the lab"
NOTE = (
    "a Windows Server 2022 of the lab, over WinRM with HTTPS and NTLM. The single tasks are `ansible.builtin.raw` with "
    "the commands of our own probe, one a task: Ansible's modules need PowerShell 5.1, which the lab's hosts do not "
    "run. On a real host each task also starts PowerShell, which makes the difference larger."
)
HOST = "web-2022"
ADDRESS = "1.21"
WANT = {"push": True, "time_service": "running", "reach": []}


class LabWindows:
    """One Windows Server 2022 of the lab, over WinRM with HTTPS and NTLM."""

    def __init__(self, lab: LabProcess, directory: Path) -> None:
        self._state = lab.state / "hosts" / HOST / "state.json"
        password = (lab.state / "secrets" / "windows_password").read_text()
        variables = {
            "ansible_connection": "ansible.builtin.winrm",
            "ansible_host": f"{lab.net}.{ADDRESS}",
            "ansible_port": 5986,
            "ansible_winrm_scheme": "https",
            "ansible_winrm_transport": "ntlm",
            "ansible_winrm_ca_trust_path": str(lab.state / "ca.pem"),
            "ansible_user": "Administrator",
            "ansible_password": password,
        }
        self.runner = Runner(directory, HOST, variables)

    def state(self) -> str:
        """Return registry, files and running services."""
        state = json.loads(self._state.read_text())
        return json.dumps({name: state[name] for name in ("registry", "files", "running")}, indent=1, sort_keys=True)


@contextmanager
def lab_windows(lab: LabProcess, directory: Path) -> Iterator[LabWindows]:
    """The host as a fresh lab has it."""
    lab.admin("POST", "reset")
    yield LabWindows(lab, directory)


def ways() -> list[Way]:
    """Return both ways, ours first."""
    return [ours(), commands()]


def ours() -> Way:
    """Return the one task of the collection."""
    options = {"profile": "source", "family": "windows", "want": WANT, "prior_dir": "{{ inventory_dir }}/prior"}
    return Way("asr.migrate.source_host", [{"name": "Prepare the source", SOURCE_HOST: options}])


def commands() -> Way:
    """Return the same commands, a task each.

    They are the product's own, taken out of its probe; ``raw`` because the lab's hosts do not run Ansible's modules.
    """
    sent = profiles.make("source", Os.WINDOWS, HOST, WANT).probe().stdin or b""
    lines = [line for line in sent.decode().splitlines()[1:] if line and not line.startswith("echo ")]
    kept = {
        text.reg_query(windows_probe.SYSTEM_POLICIES): "policies",
        text.reg_query(windows_probe.FIREWALL_RULES): "firewall",
    }
    reads = [_raw(line, register=kept.get(line, "seen"), changed_when=False, failed_when=False) for line in lines]
    return Way("a raw task a command", [*reads, *_changes(), *_looks_again(kept)])


def _raw(line: str, **more: Any) -> dict[str, Any]:
    return {"name": line[:60], "ansible.builtin.raw": line, **more}


def _changes() -> list[dict[str, Any]]:
    token = text.reg_add_dword(windows_probe.SYSTEM_POLICIES, TOKEN_FILTER, 1)
    made = [_raw(token, register="token", when=f"not policies.stdout is search('{TOKEN_FILTER}\\s+REG_DWORD\\s+0x1')")]
    for number, group in enumerate(PUSH_GROUPS):
        off = f"firewall.stdout is search('Active=FALSE[^\\r\\n]*FirewallAPI.dll,{group}')"
        made.append(_raw(text.enable_firewall_group(group), register=f"group_{number}", when=off))
    return made


def _looks_again(kept: dict[str, str]) -> list[dict[str, Any]]:
    when = "token is changed or group_0 is changed or group_1 is changed"
    return [_raw(line, changed_when=False, when=when) for line in kept]
