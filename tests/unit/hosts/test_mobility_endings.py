"""An installer that ends well and asks for something: exit code 98, and Windows Installer's 1641 and 3010."""

from datetime import UTC, datetime

import pytest

from asr_migrate.domain.machine import Os
from asr_migrate.hosts import linux_script, profiles
from asr_migrate.hosts.linux_mobility import LinuxMobility
from asr_migrate.hosts.mobility import MobilityState
from asr_migrate.hosts.mobility_want import Mobility
from asr_migrate.hosts.plan import Answer, Change, Exchange, Plan, Reading, warning
from asr_migrate.hosts.prepare import prepare
from asr_migrate.hosts.windows_mobility import WindowsMobility

from .fake_agent import SHELLS, FakeAgent

CS = "10.20.0.10"
SYSTEM = "Red Hat Enterprise Linux 6.7"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
OLDER = MobilityState(
    installed=True, configured=True, running=True, servers=(CS,), version="9.57.0.0", cs_type="CSLegacy"
)
ERRORS = '{"Errors":[{"error_name":"x","default_message":"Please reboot your machine after upgrade"}]}'


def wanted(**fields):
    made = {"architecture": "classic", "appliance_address": CS, "passphrase": "the passphrase", "upgrade": True}
    return Mobility(**(made | fields))


@pytest.mark.parametrize("shell", SHELLS)
def test_an_upgrade_that_wants_a_restart_says_so(tmp_path, shell, kit):
    agent = FakeAgent(tmp_path, install=98)
    agent.version.write_text("INSTALLATION_DIR=/x\n", encoding="utf-8")
    hand = LinuxMobility(wanted(installer={"path": str(agent.archive), "version": "9.59.0.0"}))
    work = hand.work("db-1", SYSTEM, OLDER)
    (tmp_path / "errors.json").write_text(f"{ERRORS}\n", encoding="utf-8")
    printed = agent.run(shell, work, {"/var/log/InstallerErrors.json": str(tmp_path / "errors.json")})
    (note,) = work.notes(kit.answer(printed))
    assert (note.rule, str(note.severity)) == ("mobility.restart", "warning")
    assert "upgrade of the Mobility service on db-1 ended with exit code 98: Please reboot" in note.text


def test_an_installation_that_was_done_with_warnings_says_so(kit):
    work = LinuxMobility(wanted(installer={"path": "/srv/x.tar.gz", "version": "9.59.0.0"})).work("db-1", SYSTEM, OLDER)
    (note,) = work.notes(kit.answer("rc\tinstall\t98\nwarned\tthe passphrase is not kept\nrc\tregister\t0\n"))
    assert note.rule == "mobility.installer-warnings"
    assert "the passphrase" not in note.text
    assert work.notes(kit.answer("rc\tupgrade\t0\n")) == work.notes(kit.answer("rc\tregister\t98\n")) == ()


@pytest.mark.parametrize(
    ("code", "rule"), [(98, "mobility.restart"), (1641, "mobility.restart"), (3010, "mobility.restart")]
)
def test_on_windows_too(kit, code, rule):
    hand = WindowsMobility(wanted(installer={"path": "C:\\x.exe", "version": "9.59.0.0"}))
    work = hand.work("app-1", "Windows Server 2016", OLDER)
    assert [note.rule for note in work.notes(kit.answer(f"@@ mobility upgrade\n@@rc {code}\n"))] == [rule]
    assert work.notes(kit.answer("@@ mobility upgrade\n@@rc 0\n")) == ()


@pytest.mark.parametrize("family", [Os.LINUX, Os.WINDOWS])
def test_the_round_trip_that_changes_a_host_has_the_notes(family, kit):
    tag = "RHEL6-64" if family is Os.LINUX else "Windows"
    installer = {"url": f"https://x.example/Microsoft-ASR_UA_9.59.0.0_{tag}_GA_15Mar2024_release.x"}
    profile = profiles.make("source", family, "m-1", {"mobility": wanted(installer=installer).model_dump()})
    host = kit.linux() if family is Os.LINUX else kit.windows()
    (change,) = kit.planned(profile, host).exchanges
    ended = "rc\tupgrade\t98\n" if family is Os.LINUX else "@@ mobility upgrade\n@@rc 98\n"
    assert [note.rule for note in change.notes(kit.answer(ended))] == ["mobility.restart"]


class Noting:
    """A profile with one change, whose answer is worth a look."""

    settle_s = 600.0
    secrets = ()

    def __init__(self, *found):
        self.found = found
        self.changed = False

    def probe(self):
        return Exchange("probe", "sh")

    def read(self, answer):
        return Reading({}, answer)

    def plan(self, reading):
        if self.changed:
            return Plan()
        notes = (warning("a.rule", "said by the host", "look", "x"), warning("b.rule", "said twice", "look", "x"))
        change = Exchange("change", "sh", notes=lambda _answer: notes)
        return Plan(findings=self.found, changes=(Change("it", "old", "new"),), exchanges=(change,))

    def send(self, exchange):
        self.changed |= exchange.name == "change"
        return Answer("", "", 0, NOW, NOW)


def test_what_a_change_says_is_in_the_result_unless_it_was_said_before(clock):
    profile = Noting(warning("b.rule", "known before", "look", "x"))
    done = prepare(profile, profile.send, clock, keep=lambda _: None)
    assert [finding["text"] for finding in done["findings"]] == ["known before", "said by the host"]


def test_nothing_is_noted_where_nothing_is_changed(clock):
    profile = Noting()
    assert prepare(profile, profile.send, clock, keep=lambda _: None, change=False)["findings"] == []


def test_the_script_s_errors_file_is_the_documented_one():
    assert "tell warned /var/log/InstallerErrors.json" in linux_script.body("mobility")
