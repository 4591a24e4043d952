"""What is changed on a Windows source, in one round trip, with the values from before."""

import pytest

from asr_migrate.domain.machine import Os
from asr_migrate.hosts import profiles

POLICY_KEY = "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Policies\\System"
TOKEN_FILTER = POLICY_KEY + "\\LocalAccountTokenFilterPolicy"
TERMINAL_SERVER = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Terminal Server"
SAN_KEY = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\partmgr\\Parameters"
OFF = dict.fromkeys(("-28502", "-34251"), "FALSE")
RDP = (
    "v2.20|Action=Allow|Active={}|Dir=In|Protocol=6|{}LPort=3389|Svc=termservice|Name=@FirewallAPI.dll,-28775|"
    "EmbedCtxt=@FirewallAPI.dll,-28752|"
)


def source(**want):
    return profiles.make("source", Os.WINDOWS, "app-1", want)


def priors(plan):
    return {prior.name: prior for prior in plan.prior}


def test_a_fresh_host_is_prepared_for_a_push_in_one_round_trip(kit):
    plan = kit.planned(source(push=True), kit.windows(active=OFF))
    assert [(change.what, change.before, change.after) for change in plan.changes] == [
        ("LocalAccountTokenFilterPolicy", None, "1"),
        ("firewall group File and Printer Sharing", "disabled", "enabled"),
        ("firewall group Windows Management Instrumentation (WMI)", "disabled", "enabled"),
    ]
    assert len(plan.exchanges) == 1
    sent = kit.decoded(plan.exchanges[0])
    assert f"reg add '{POLICY_KEY}' /v 'LocalAccountTokenFilterPolicy' /t REG_DWORD /d 1 /f" in sent
    assert "'group=@FirewallAPI.dll,-28502' new enable=yes" in sent
    assert "'group=@FirewallAPI.dll,-34251' new enable=yes" in sent


def test_every_thing_that_is_touched_is_on_record_with_what_it_was_and_will_be(kit):
    plan = kit.planned(source(push=True), kit.windows(active=OFF | {"-34251": "TRUE"}))
    found = priors(plan)
    assert set(found) == {TOKEN_FILTER, "-28502-1", "-28502-2"}
    assert found[TOKEN_FILTER].before is None
    assert found[TOKEN_FILTER].after == {"type": "REG_DWORD", "data": "0x1"}
    rule = found["-28502-1"]
    assert rule.kind == "firewall_rule"
    assert "|Active=FALSE|" in rule.before["rule"]
    assert rule.after["rule"] == rule.before["rule"].replace("|Active=FALSE|", "|Active=TRUE|")


def test_only_the_rules_that_were_off_are_on_record_outbound_ones_too(kit):
    out = "v2.10|Action=Allow|Active=FALSE|Dir=Out|Protocol=6|RPort=445|EmbedCtxt=@FirewallAPI.dll,-28502|"
    rules = kit.windows().rules | {"FPS-SMB-Out-TCP": out, "FPS-X": out.replace("Out", "In")}
    plan = kit.planned(source(push=True), kit.windows(policies={"LocalAccountTokenFilterPolicy": 1}, rules=rules))
    assert [change.before for change in plan.changes] == ["partly enabled"]
    assert set(priors(plan)) == {"FPS-SMB-Out-TCP", "FPS-X"}


def test_without_a_push_nothing_of_it_is_touched(kit):
    assert kit.planned(source(), kit.windows(active=OFF)).changes == ()


def test_the_token_filter_is_left_alone_for_a_domain_account(kit):
    host = kit.windows(user=("corp\\svc-asr", "S-1-5-21-9-9-9-1104"))
    assert kit.planned(source(push=True), host).changes == ()


def test_the_token_filter_is_set_when_the_host_does_not_say_whose_account_it_is(kit):
    plan = kit.planned(source(push=True), kit.windows(user=()))
    assert [change.what for change in plan.changes] == ["LocalAccountTokenFilterPolicy"]


@pytest.mark.parametrize(("value", "shown", "kept"), [(0, "0", "0x0"), ("1", "1", "1")])
def test_a_wrong_policy_value_is_replaced_and_kept_with_its_type(kit, value, shown, kept):
    plan = kit.planned(source(push=True), kit.windows(policies={"LocalAccountTokenFilterPolicy": value}))
    kind = "REG_SZ" if isinstance(value, str) else "REG_DWORD"
    assert priors(plan)[TOKEN_FILTER].before == {"type": kind, "data": kept}
    assert plan.changes[0].before == shown


def test_remote_desktop_is_switched_on_and_let_in(kit):
    host = kit.windows(remote_desktop={"fDenyTSConnections": 1}, rules={"RDP": RDP.format("FALSE", "")})
    plan = kit.planned(source(), host)
    assert [(change.what, change.before, change.after) for change in plan.changes] == [
        ("fDenyTSConnections", "1", "0"),
        ("firewall group Remote Desktop", "disabled", "enabled"),
    ]
    assert set(priors(plan)) == {TERMINAL_SERVER + "\\fDenyTSConnections", "RDP"}
    assert kit.planned(source(remote_desktop=False), host).changes == ()


def test_a_profile_that_stays_closed_to_remote_desktop_gets_a_rule_of_ours(kit):
    host = kit.windows(rules={"RDP": RDP.format("FALSE", "Profile=Domain|")})
    plan = kit.planned(source(), host)
    assert [change.what for change in plan.changes] == [
        "firewall group Remote Desktop",
        "firewall rule asr-migrate Remote Desktop",
    ]
    assert plan.changes[1].before == "closed in private, public"
    assert "add rule 'name=asr-migrate Remote Desktop' dir=in" in kit.decoded(plan.exchanges[0])
    assert priors(plan)["asr-migrate Remote Desktop"].before is None


def test_no_rule_is_changed_while_windows_firewall_does_not_run(kit):
    whole = kit.windows()
    host = kit.windows(states=whole.states | {"MpsSvc": 1}, active=OFF, rules={})
    plan = kit.planned(source(push=True), host)
    assert [change.what for change in plan.changes] == ["LocalAccountTokenFilterPolicy"]


def test_our_rule_is_for_the_port_that_remote_desktop_listens_on(kit):
    plan = kit.planned(source(), kit.windows(remote_desktop_port=13389))
    assert "localport=13389" in kit.decoded(plan.exchanges[0])


def test_the_san_policy_is_set_and_a_missing_key_goes_on_record_too(kit):
    plan = kit.planned(source(), kit.windows(san=None))
    assert [(change.what, change.before, change.after) for change in plan.changes] == [("SanPolicy", None, "1")]
    assert [(prior.kind, prior.name, prior.before) for prior in plan.prior] == [
        ("registry", SAN_KEY + "\\SanPolicy", None),
        ("registry_key", SAN_KEY, None),
    ]
    assert {prior.kind for prior in kit.planned(source(), kit.windows(san={})).prior} == {"registry"}
    assert kit.planned(source(san_policy=False), kit.windows(san=None)).changes == ()


@pytest.mark.parametrize(
    ("start", "state", "delayed", "before", "lines"),
    [
        (3, 1, (), {"start": "demand", "delayed": False, "running": False}, ["sc.exe config", "net start"]),
        (3, 4, (), {"start": "demand", "delayed": False, "running": True}, ["sc.exe config"]),
        (4, 1, (), {"start": "disabled", "delayed": False, "running": False}, ["sc.exe config", "net start"]),
        (2, 1, ("w32time",), {"start": "auto", "delayed": True, "running": False}, ["net start"]),
    ],
)
def test_the_time_service_is_brought_to_run_and_to_start_by_itself(kit, start, state, delayed, before, lines):
    whole = kit.windows()
    host = kit.windows(
        starts=whole.starts | {"w32time": start}, states=whole.states | {"w32time": state}, delayed=delayed
    )
    plan = kit.planned(source(), host)
    sent = [line for line in kit.decoded(plan.exchanges[0]).split("\n") if not line.startswith("echo")]
    assert [" ".join(line.split()[:2]) for line in sent] == lines
    assert plan.prior[0].before == before
    assert plan.prior[0].after == {"start": "auto", "delayed": before["delayed"], "running": True}


def test_nothing_is_prepared_on_a_host_whose_mobility_service_is_to_go(kit):
    host = kit.windows(active=OFF, san=None, routes=("10.9.0.0,255.255.0.0,10.20.1.1,1",))
    plan = kit.planned(source(mobility={"state": "absent"}), host)
    assert plan.changes == ()
    assert plan.findings == ()


def test_a_change_that_the_host_refuses_is_named_with_its_exit_code(kit):
    plan = kit.planned(source(push=True), kit.windows())
    said = kit.answer("@@ change LocalAccountTokenFilterPolicy\n@@rc 5\n", "ERROR: Access is denied.")
    error = plan.exchanges[0].judge(said)
    assert "change LocalAccountTokenFilterPolicy failed with exit code 5: ERROR: Access is denied." in error.message
    assert error.remedy
    assert "exit code 5" in plan.exchanges[0].judge(kit.answer("@@ change x\n@@rc 0\n@@rc 5\n@@rc 0\n")).message
    assert plan.exchanges[0].judge(kit.answer("@@ change x\n@@rc 0\n@@rc 0\n@@ other\n@@rc 1\n")) is None


def test_the_mobility_service_by_hand_joins_the_same_round_trip_and_its_passphrase_is_no_part_of_the_text(kit):
    passphrase = "4TtkMgJZc5GwnFOR"
    mobility = {
        "architecture": "classic",
        "appliance_address": "10.20.0.20",
        "passphrase": passphrase,
        "installer": {"url": "https://files.example.org/ua.exe", "sha256": "ab" * 32, "version": "9.59"},
    }
    plan = kit.planned(source(mobility=mobility), kit.windows(san=None))
    assert [change.what for change in plan.changes] == ["SanPolicy", "Mobility service"]
    assert [exchange.name for exchange in plan.exchanges] == ["change"]
    sent = plan.exchanges[0]
    text = kit.decoded(sent)
    assert text.index("/v 'SanPolicy'") < text.index("UnifiedAgent")
    assert passphrase not in text + sent.command
    assert passphrase.encode() in b"".join(kit.contents(sent))
    assert "SanPolicy" in sent.judge(kit.answer("@@ change SanPolicy\n@@rc 5\n")).message
    assert {prior.name for prior in plan.prior} == {SAN_KEY + "\\SanPolicy", SAN_KEY}
