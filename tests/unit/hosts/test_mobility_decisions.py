"""What is left to do about the Mobility service, by its state and the user's wish; nothing is sent here."""

import pytest
from pydantic import ValidationError

from asr_migrate.hosts import mobility_findings
from asr_migrate.hosts.linux_mobility import LinuxMobility
from asr_migrate.hosts.mobility import MobilityState, Step
from asr_migrate.hosts.mobility_want import Installer, Mobility

CS = "10.20.0.10"
SYSTEM = "Red Hat Enterprise Linux 8.8"
PLACE = "/srv/Microsoft-ASR_UA_{}_{}_GA_15Mar2024_release.tar.gz"
PACKAGE = {"file": PLACE.format("9.59.0.0", "RHEL8-64")}
ABSENT = MobilityState(installed=False, configured=False, running=False)
INSTALLED = MobilityState(installed=True, configured=False, running=False, version="9.59.0.0", cs_type="CSLegacy")
READY = MobilityState(
    installed=True,
    configured=True,
    running=True,
    servers=(CS,),
    version="9.59.0.0",
    cs_type="CSLegacy",
    host_ids=("a",),
)
ELSEWHERE = MobilityState(
    installed=True, configured=True, running=True, servers=("10.9.9.9",), version="9.59.0.0", cs_type="CSLegacy"
)
PRIME = MobilityState(installed=True, configured=True, running=True, version="9.66.0.0", cs_type="CSPrime")
HALF = MobilityState(installed=False, configured=False, running=False, leftovers=True)


def changed(state, **fields):
    return MobilityState(**{**vars(state), **fields})


def classic(**fields):
    wanted = {"architecture": "classic", "appliance_address": CS, "passphrase": "secret", "installer": PACKAGE}
    return LinuxMobility(Mobility(**{**wanted, **fields}))


def modernized(**fields):
    package = {"file": PLACE.format("9.66.0.0", "RHEL8-64")}
    return LinuxMobility(Mobility(**{"architecture": "modernized", "installer": package, **fields}))


def steps(hand, state, system=SYSTEM):
    """Return the steps of the work; the script names them in its first line."""
    script = hand.work("db-1", system, state).script
    return script.split("steps='", 1)[1].split("'", 1)[0].split() if script else []


def rules(hand, state, system=SYSTEM):
    return {finding.rule: str(finding.severity) for finding in hand.work("db-1", system, state).findings}


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (ABSENT, ["fetch", "unpack", "install", "register"]),
        (INSTALLED, ["register"]),
        (READY, []),
        (changed(READY, running=False), ["start"]),
        (HALF, ["fetch", "unpack", "uninstall", "install", "register"]),
    ],
)
def test_a_classic_agent_gets_what_is_left_to_do(state, expected):
    assert steps(classic(), state) == expected


def test_the_change_says_from_what_to_what():
    (change,) = classic().work("db-1", SYSTEM, ABSENT).changes
    assert (change.before, change.after) == ("not installed", f"registered with {CS}")
    (change,) = classic().work("db-1", SYSTEM, HALF).changes
    assert change.before == "half installed"


def test_an_agent_of_another_server_is_refused_unless_it_is_to_be_moved():
    assert rules(classic(), ELSEWHERE) == {"mobility.other-server": "blocker"}
    text = classic().work("db-1", SYSTEM, ELSEWHERE).findings[0].text
    assert "db-1 is registered with 10.9.9.9, not with 10.20.0.10" in text
    assert rules(classic(move=True), ELSEWHERE) == {}


def test_a_classic_agent_moves_by_being_installed_anew():
    assert steps(classic(move=True), ELSEWHERE) == ["fetch", "unpack", "uninstall", "install", "register"]


def test_an_agent_of_the_other_architecture_is_refused_or_replaced():
    assert rules(classic(), PRIME)["mobility.other-architecture"] == "blocker"
    assert rules(modernized(), READY)["mobility.other-architecture"] == "blocker"
    assert "uninstall" in steps(classic(move=True), PRIME)


def test_a_newer_agent_is_kept_and_said():
    newer = changed(READY, version="9.60.1.0")
    assert steps(classic(upgrade=True), newer) == []
    assert rules(classic(upgrade=True), newer) == {"mobility.newer": "warning"}


def test_an_older_agent_is_upgraded_only_when_that_is_asked_for():
    older = changed(READY, version="9.57.0.0")
    assert steps(classic(), older) == []
    assert rules(classic(), older) == {"mobility.older": "warning"}
    assert steps(classic(upgrade=True), older) == ["fetch", "unpack", "upgrade"]
    assert rules(classic(upgrade=True), older) == {}
    (change,) = classic(upgrade=True).work("db-1", SYSTEM, older).changes
    assert (change.before, change.after) == ("9.57.0.0", "9.59.0.0")


def test_an_upgrade_over_more_than_four_versions_says_that_it_wants_a_restart():
    assert rules(classic(upgrade=True), changed(READY, version="9.54.0.0")) == {"mobility.restart": "warning"}


def test_a_modernized_agent_waits_for_its_config_json():
    assert steps(modernized(), ABSENT) == ["fetch", "unpack", "install"]
    assert rules(modernized(), ABSENT) == {"mobility.config-json": "warning"}
    (change,) = modernized().work("db-1", SYSTEM, ABSENT).changes
    assert change.after == "installed, waits for its config.json"
    waiting = changed(PRIME, configured=False, running=False)
    assert steps(modernized(), waiting) == []
    assert rules(modernized(), waiting) == {"mobility.config-json": "warning"}


def test_the_agent_config_input_is_private_and_only_there_while_it_is_needed():
    waiting = changed(PRIME, configured=False, running=False, config_input="e30=")
    assert modernized().private(waiting) == {"agent_config_input": "e30="}
    assert "e30=" not in str(waiting.as_dict())
    assert modernized(source_config="{}").private(waiting) == {}
    assert modernized().private(changed(waiting, configured=True)) == {}
    assert (modernized().wants_config_input, classic().wants_config_input) == ("yes", "")


def test_a_modernized_agent_registers_with_its_config_json():
    waiting = changed(PRIME, configured=False, running=False)
    assert steps(modernized(source_config='{"a": 1}'), waiting) == ["register"]
    assert steps(modernized(source_config='{"a": 1}'), ABSENT) == ["fetch", "unpack", "install", "register"]
    assert steps(modernized(source_config='{"a": 1}'), PRIME) == []


def test_a_modernized_agent_is_moved_by_unregistering_it():
    elsewhere = changed(PRIME, servers=("10.9.9.9",))
    hand = modernized(source_config="{}", appliance_address=CS, move=True)
    assert steps(hand, elsewhere) == ["unconfigure", "register"]


@pytest.mark.parametrize(
    ("tag", "system"), [("RHEL7-64", SYSTEM), ("Windows", SYSTEM), ("RHEL8-64", "Oracle Linux 8.8")]
)
def test_the_installer_of_another_system_is_refused_and_both_are_named(tag, system):
    hand = classic(installer={"file": PLACE.format("9.59.0.0", tag)})
    (finding,) = hand.work("db-1", system, ABSENT).findings
    assert finding.rule == "mobility.wrong-installer"
    assert f"is the installer for {tag}; db-1 runs {system}" in finding.text


def test_an_installer_with_a_name_of_its_own_is_not_judged():
    assert rules(classic(installer={"path": "/srv/agent.tar.gz"}), ABSENT) == {}


def test_a_wrong_installer_does_not_matter_where_none_is_needed():
    hand = classic(installer={"file": PLACE.format("9.59.0.0", "RHEL7-64")})
    assert rules(hand, READY) == {}


def test_a_system_without_an_installer_is_refused():
    assert rules(classic(), ABSENT, "Amazon Linux 2") == {"mobility.no-installer": "blocker"}


def test_a_system_of_the_modernized_architecture_only_is_refused_for_the_classic_one():
    place = PLACE.format("9.59.0.0", "UBUNTU-22.04-64")
    assert rules(classic(installer={"file": place}), ABSENT, "Ubuntu 22.04") == {"mobility.modernized-only": "blocker"}


def test_a_name_that_was_derived_is_said():
    repository = {"url": "https://x.example", "version": "9.66.0.0", "released": "1Jan2026"}
    hand = modernized(installer={}, repository=repository, source_config="{}")
    assert rules(hand, ABSENT, "Ubuntu 24.04") == {"mobility.installer-name": "warning"}
    own = modernized(installer={"path": "/srv/agent.tar.gz"}, source_config="{}")
    assert rules(own, ABSENT, "Debian 12") == {"mobility.installer-name": "warning"}


@pytest.mark.parametrize(("version", "make"), [("9.62.0.0", classic), ("9.59.0.0", modernized)])
def test_an_installer_of_the_other_generation_is_refused(version, make):
    hand = make(installer={"file": PLACE.format(version, "RHEL8-64")}, source_config="{}")
    assert rules(hand, ABSENT) == {"mobility.generation": "blocker"}


@pytest.mark.parametrize(
    ("fields", "rule", "severity"),
    [
        ({"platform": "Azure"}, "mobility.platform", "blocker"),
        ({"host_ids": ("a", "b")}, "mobility.host-id", "blocker"),
        ({"driver": False}, "mobility.driver", "warning"),
    ],
)
def test_a_registration_that_is_not_whole_is_found(fields, rule, severity):
    assert rules(classic(), changed(READY, **fields)) == {rule: severity}
    assert rules(classic(), changed(READY, platform="VmWare", driver=True)) == {}


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"passphrase": ""}, "passphrase"),
        ({"installer": {}}, "installer"),
        ({"installer": {"url": "http://x/UA.tar.gz"}}, "https"),
        ({"installer": {}, "repository": {"url": "https://x"}}, "version of the installers"),
        ({"installer": {}, "repository": {"directory": "/srv", "files": ["x"]}}, "holds no Mobility service installer"),
    ],
)
def test_an_input_that_is_missing_is_named_before_anything_is_sent(fields, word):
    (missing,) = classic(**fields).work("db-1", SYSTEM, ABSENT).missing
    assert word in missing.message
    assert missing.remedy


def test_no_passphrase_is_asked_of_an_upgrade():
    older = changed(READY, version="9.57.0.0")
    assert classic(upgrade=True, passphrase="").work("db-1", SYSTEM, older).missing == ()


@pytest.mark.parametrize(
    ("state", "expected"), [(READY, ["uninstall"]), (HALF, ["uninstall"]), (ABSENT, []), (INSTALLED, ["uninstall"])]
)
def test_removal_uninstalls_what_is_there(state, expected):
    hand = LinuxMobility(Mobility(state="absent"))
    assert steps(hand, state) == expected
    assert rules(hand, state) == ({"mobility.restart": "warning"} if expected else {})


def test_unconfiguring_leaves_the_agent_installed():
    hand = LinuxMobility(Mobility(state="unconfigured"))
    assert steps(hand, PRIME) == ["unconfigure"]
    assert "cs_type='-c CSPrime'" in hand.work("db-1", SYSTEM, PRIME).script
    assert steps(hand, INSTALLED) == []


def test_push_leaves_the_agent_alone_but_refuses_another_server_s():
    hand = LinuxMobility(Mobility(architecture="classic", method="push", appliance_address=CS))
    assert steps(hand, ABSENT) == []
    assert rules(hand, ABSENT) == {}
    assert rules(hand, ELSEWHERE) == {"mobility.other-server": "blocker"}
    assert rules(LinuxMobility(Mobility()), ELSEWHERE) == {}


def test_the_wrong_way_to_the_machine_is_refused_by_name():
    with pytest.raises(ValidationError, match="pushes no agent to AWS"):
        Mobility(architecture="migrate_classic", method="push", appliance_address=CS)
    by_hand = Mobility(architecture="migrate_classic", appliance_address=CS)
    with pytest.raises(ValueError, match="pushes no agent to AWS"):
        by_hand.check_push(True)
    with pytest.raises(ValueError, match="exclude each other"):
        Mobility(architecture="modernized").check_push(True)
    Mobility(architecture="modernized", method="push").check_push(True)


def test_a_classic_agent_needs_its_server_s_address():
    with pytest.raises(ValidationError, match="needs appliance_address"):
        Mobility(architecture="classic")


def test_an_installer_is_fetched_before_anything_is_taken_away():
    made = steps(classic(move=True), ELSEWHERE)
    assert made.index(Step.UNPACK) < made.index(Step.UNINSTALL)


def test_older_is_not_said_of_an_unknown_version():
    assert not mobility_findings.is_older(changed(READY, version=None), Installer(**PACKAGE))
    assert not mobility_findings.is_older(READY, Installer(path="/srv/agent.tar.gz"))


def test_an_agent_from_before_the_choice_of_architecture_is_registered_without_it():
    old = changed(INSTALLED, version="9.54.0.0")
    assert "cs_type=''" in classic().work("db-1", SYSTEM, old).script
    assert "cs_type='-c CSLegacy'" in classic().work("db-1", SYSTEM, INSTALLED).script


def test_an_upgrade_alone_leaves_machines_without_an_agent_alone():
    hand = LinuxMobility(Mobility(state="upgraded", installer=PACKAGE))
    older = changed(READY, version="9.57.0.0")
    assert steps(hand, ABSENT) == []
    assert steps(hand, READY) == []
    assert steps(hand, older) == ["fetch", "unpack", "upgrade"]
    assert "cs_type='-c CSLegacy'" in hand.work("db-1", SYSTEM, older).script
    assert rules(hand, older) == {}
    assert rules(hand, changed(READY, version="9.66.0.0")) == {"mobility.newer": "warning"}
    wrong = LinuxMobility(Mobility(state="upgraded", installer={"file": PLACE.format("9.66.0.0", "RHEL8-64")}))
    assert rules(wrong, older) == {"mobility.generation": "blocker", "mobility.restart": "warning"}


OTHER = changed(PRIME, servers=("10.1.1.5", "10.0.1.143"))
CONFIG = '{"RcmProxyTransportSettings": {"IpAddresses": ["10.20.0.20", "10.20.9.20"], "NatIpAddress": "20.1.2.3"}}'


def test_a_modernized_agent_of_another_appliance_is_refused_or_moved():
    wanted = {"appliance_address": "10.20.0.20", "source_config": CONFIG}
    assert rules(modernized(**wanted), OTHER) == {"mobility.other-server": "blocker"}
    assert rules(modernized(appliance_address="10.20.0.20"), OTHER)["mobility.other-server"] == "blocker"
    assert steps(modernized(**wanted, move=True), OTHER) == ["unconfigure", "register"]
    pushed = LinuxMobility(Mobility(architecture="modernized", method="push", appliance_address="10.20.0.20"))
    assert rules(pushed, OTHER) == {"mobility.other-server": "blocker"}


@pytest.mark.parametrize("asked", ["10.1.1.5", "10.0.1.143"])
def test_an_appliance_may_be_named_by_any_of_its_addresses(asked):
    assert rules(modernized(appliance_address=asked), OTHER) == {}
    ours = changed(PRIME, servers=("10.20.9.20",))
    assert rules(modernized(appliance_address="appliance.example", source_config=CONFIG), ours) == {}


@pytest.mark.parametrize(("state", "asked"), [(PRIME, "10.20.0.20"), (OTHER, "appliance.example")])
def test_an_appliance_that_cannot_be_told_is_said(state, asked):
    assert rules(modernized(appliance_address=asked), state) == {"mobility.unknown-server": "warning"}
    assert steps(modernized(appliance_address=asked, source_config="{}", move=True), state) == []
    waiting = changed(state, configured=False)
    assert "mobility.unknown-server" not in rules(modernized(appliance_address=asked), waiting)
