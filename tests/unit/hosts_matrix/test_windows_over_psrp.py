"""Ansible's own psrp plugin takes a Windows host's exchanges apart, and the host answers as over WinRM."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ansible.playbook.play_context import PlayContext
from ansible.plugins.connection.psrp import Connection
from ansible.plugins.loader import shell_loader

from asr_lab.hosts.windows.shell import run_text
from asr_lab.hosts.windows.state import Host
from asr_migrate.clock import ManualClock
from asr_migrate.hosts.plan import Answer, Exchange
from asr_migrate.hosts.prepare import prepare

from . import windows_hosts


class OverPsrp(Connection):
    """The plugin, with a host behind it in place of a runspace: what it would run there, with what as ``$input``."""

    def __init__(self, host: Host) -> None:
        self.host_behind = host
        self.scripts: list[str] = []
        self._connected = True
        self._psrp_host = "app-1"
        self._play_context = PlayContext()
        self._shell = shell_loader.get("powershell")

    def _exec_psrp_script(
        self, script: str, input_data: Iterable[str] | None = None, **_: Any
    ) -> tuple[int, bytes, bytes]:
        self.scripts.append(script)
        result = run_text(self.host_behind, script, "".join(f"{row}\n" for row in input_data or ()).encode())
        return result.code, "\r\n".join(result.out.splitlines()).encode(), result.err.encode()

    def send(self, exchange: Exchange) -> Answer:
        now = self.host_behind.clock.wall()
        code, out, err = self.exec_command(exchange.command, in_data=exchange.stdin)
        self.host_behind.save()
        return Answer(out.decode(), err.decode(), code, now, now)


@pytest.mark.parametrize("flavour", windows_hosts.FLAVOURS)
def test_a_host_is_prepared_over_psrp(tmp_path: Path, flavour: str) -> None:
    host = windows_hosts.make(flavour, tmp_path, {"firewall": {"Remote Desktop": False}})
    connection = OverPsrp(host)
    profile = windows_hosts.source(push=True)
    result = prepare(profile, connection.send, ManualClock(), keep=lambda priors: None)
    assert (result["changed"], result["round_trips"], result["findings"]) == (True, 3, [])
    assert windows_hosts.source(push=True).plan(profile.read(connection.send(profile.probe()))).changes == ()


def test_the_plugin_runs_the_same_short_script_each_time_and_pipes_the_text_into_it(tmp_path: Path) -> None:
    connection = OverPsrp(windows_hosts.make("2008r2", tmp_path))
    profile = windows_hosts.source(push=True)
    assert datetime.fromisoformat(profile.read(connection.send(profile.probe())).facts["utc"]).tzinfo == UTC
    connection.send(profile.probe())
    assert len(set(connection.scripts)) == 1
    assert len(connection.scripts[0]) < 100
