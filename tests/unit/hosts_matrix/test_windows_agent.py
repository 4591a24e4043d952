"""The Mobility service, by hand, on every version of Windows Server: installed, registered, and without a trace of the
passphrase.
"""

from pathlib import Path

import pytest

from asr_lab.hosts.windows.installers.packages import MIRROR, MOBILITY_FILE
from asr_lab.hosts.windows.state import AGENT_PRODUCT, Host
from asr_migrate.clock import ManualClock
from asr_migrate.hosts.plan import Answer, Exchange
from asr_migrate.hosts.prepare import prepare

from . import windows_hosts
from .windows_hosts import APPLIANCE, FLAVOURS

PASSPHRASE = "canary-Pa55phrase"


class Line:
    """A connection that remembers the command lines and what came back."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.commands: list[str] = []
        self.answers: list[str] = []

    def send(self, exchange: Exchange) -> Answer:
        answer = windows_hosts.send(self.host, exchange)
        self.commands.append(exchange.command)
        self.answers.append(answer.stdout + answer.stderr)
        return answer


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_the_agent_is_installed_and_registered_in_three_round_trips(tmp_path: Path, flavour: str) -> None:
    host = windows_hosts.make(flavour, tmp_path)
    want = {
        "mobility": {
            "architecture": "classic",
            "method": "manual",
            "installer": {"url": MIRROR + MOBILITY_FILE},
            "appliance_address": APPLIANCE,
            "passphrase": PASSPHRASE,
        }
    }
    line = Line(host)
    result = prepare(windows_hosts.source(**want), line.send, ManualClock(), keep=lambda priors: None)
    assert (result["changed"], result["findings"], result["round_trips"]) == (True, [], 3)
    assert host.agent_version()
    assert host.services.is_running("svagents")
    again = prepare(windows_hosts.source(**want), line.send, ManualClock(), keep=lambda priors: None)
    assert (again["changed"], again["round_trips"]) == (False, 1)
    assert len(set(line.commands)) == 1
    kept = [(host.files.text(node.path) or "") for node in host.files if node.digest]
    assert not any(PASSPHRASE in text for text in (*line.answers, *kept, str(result)))
    assert host.registry.text(AGENT_PRODUCT, "Product_Version")
