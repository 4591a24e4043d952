"""An administrator does on a broken host what the finding's remedy says, and the finding is gone."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from asr_lab.hosts.windows.shell import run_line

from . import windows_hosts
from .test_windows_matrix import FIPS, INTERNET, PROXY, ROUTES, SERVICING, SESSION_MANAGER, SHARES
from .windows_hosts import FLAVOURS

RENAMES = {SESSION_MANAGER: {"PendingFileRenameOperations": [r"\??\C:\x", ""]}}
RESTART = ("shutdown /r /t 0",)

#: rule, fault, words of the remedy, and the commands that they stand for
REMEDIES: tuple[tuple[str, Mapping[str, Any], tuple[str, ...], tuple[str, ...]], ...] = (
    ("host.clock", {"skew_s": 1000}, ("w32tm /resync",), ("w32tm /resync",)),
    (
        "windows.time-service",
        {"service": {"W32Time": "disabled"}},
        ("sc.exe config w32time start= auto", "sc.exe start w32time"),
        ("sc.exe config w32time start= auto", "sc.exe start w32time"),
    ),
    (
        "windows.admin-share",
        {"service": {"LanmanServer": "disabled"}},
        ("sc.exe config LanmanServer start= auto", "net start LanmanServer"),
        ("sc.exe config LanmanServer start= auto", "net start LanmanServer"),
    ),
    (
        "windows.admin-share",
        {"registry": {SHARES: {"AutoShareServer": 0}}},
        ("delete the value AutoShareServer", "LanmanServer\\Parameters"),
        (f'reg delete "{SHARES}" /v AutoShareServer /f',),
    ),
    (
        "windows.wmi",
        {"service": {"Winmgmt": "disabled"}},
        ("sc.exe config winmgmt start= auto", "net start winmgmt"),
        ("sc.exe config winmgmt start= auto", "net start winmgmt"),
    ),
    ("windows.vss", {"service": {"VSS": "disabled"}}, ("start= demand",), ("sc.exe config VSS start= demand",)),
    (
        "windows.persistent-routes",
        {"registry": {ROUTES: {"10.9.0.0,255.255.0.0,10.20.1.1,1": ""}}},
        ("route delete",),
        ("route delete 10.9.0.0",),
    ),
    (
        "windows.winhttp-proxy",
        {"registry": {INTERNET: {"WinHttpSettings": {"binary": PROXY}}}},
        ("netsh winhttp reset proxy",),
        ("netsh winhttp reset proxy",),
    ),
    ("windows.bitlocker", {"volumes": {"C:": [1, 1]}}, ("manage-bde -off",), ("manage-bde -off C:",)),
    ("windows.pending-reboot", {"registry": {SERVICING + r"\RebootPending": {}}}, ("Restart the host",), RESTART),
    ("windows.pending-reboot", {"registry": RENAMES}, ("Restart the host",), RESTART),
    (
        "windows.fips",
        {"registry": {FIPS: {"Enabled": 1}}},
        ("FIPS",),
        (f'reg add "{FIPS}" /v Enabled /t REG_DWORD /d 0 /f',),
    ),
)


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize("row", range(len(REMEDIES)), ids=[f"{rule}-{at}" for at, (rule, *_) in enumerate(REMEDIES)])
def test_the_remedy_puts_the_host_right(tmp_path: Path, flavour: str, row: int) -> None:
    rule, fault, said, commands = REMEDIES[row]
    host = windows_hosts.make(flavour, tmp_path, fault)
    want = {"push": True, "time_service": "required"}
    found = windows_hosts.findings(host, **want)
    assert [finding.rule for finding in found] == [rule]
    assert all(words in found[0].remedy for words in said), found[0].remedy
    for command in commands:
        assert run_line(host, command, b"").code == 0, command
    assert windows_hosts.findings(host, **want) == ()
