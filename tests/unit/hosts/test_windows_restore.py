"""A Windows source is put back to what it was: everything on record, nothing else, and nobody is locked out."""

import pytest

from asr_migrate.domain.machine import Os
from asr_migrate.hosts import profiles
from asr_migrate.hosts.prior import Prior

POLICY_KEY = "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Policies\\System"
SAN_KEY = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\partmgr\\Parameters"
ONE = {"type": "REG_DWORD", "data": "0x1"}
ZERO = {"type": "REG_DWORD", "data": "0x0"}
TOKEN = Prior("registry", POLICY_KEY + "\\LocalAccountTokenFilterPolicy", None, ONE)
DENY = Prior(
    "registry",
    "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Terminal Server\\fDenyTSConnections",
    ONE,
    ZERO,
)
SAN = Prior("registry", SAN_KEY + "\\SanPolicy", None, ONE)
KEY = Prior("registry_key", SAN_KEY, None, {})
SERVICE = Prior(
    "service",
    "w32time",
    {"start": "demand", "delayed": False, "running": False},
    {"start": "auto", "delayed": False, "running": True},
)
OURS = Prior("firewall_rule", "asr-migrate Remote Desktop", None, {"port": 3389})
OUR_TEXT = "v2.10|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=3389|Name=asr-migrate Remote Desktop|"
RULE = "v2.10|Action=Allow|Active={}|Dir=In|Protocol=6|Profile={}|LPort={}|EmbedCtxt=@FirewallAPI.dll,-28502|"
SMB = RULE.format("{}", "Domain", "445")
SESSION = RULE.format("{}", "Domain", "139")
JO = ("app-1\\jo", "S-1-5-21-1-2-3-1001")


def rule_prior(name, text):
    return Prior("firewall_rule", name, {"rule": text.format("FALSE")}, {"rule": text.format("TRUE")})


def restored(kit, host, *priors, **how):
    profile = profiles.make("source", Os.WINDOWS, "app-1", {})
    reading = profile.read(kit.answer(host.stdout()))
    return profile.restoration(reading, priors, **how)


def sent(kit, plan):
    lines = [kit.decoded(exchange) for exchange in plan.exchanges]
    return [line for text in lines for line in text.split("\n") if not line.startswith("echo")]


def with_rules(kit, **rules):
    return kit.windows(rules=kit.windows().rules | rules, active={})


@pytest.mark.parametrize(
    ("prior", "broken", "line"),
    [
        (TOKEN, {"policies": {"LocalAccountTokenFilterPolicy": 1}}, "reg delete"),
        (DENY, {"remote_desktop": {"fDenyTSConnections": 0}}, "/t REG_DWORD /d '0x1' /f"),
        (SERVICE, {}, "sc.exe config 'w32time' start= demand"),
        (OURS, {"rules": {"{1}": OUR_TEXT}}, "delete rule 'name=asr-migrate Remote Desktop'"),
    ],
)
def test_each_thing_goes_back_to_what_it_was(kit, prior, broken, line):
    plan = restored(kit, kit.windows(**broken), prior)
    assert len(plan.changes) == 1
    assert line in sent(kit, plan)[0]
    assert plan.findings == ()
    assert plan.prior == ()


@pytest.mark.parametrize(
    ("prior", "as_before"),
    [
        (TOKEN, {}),
        (DENY, {"remote_desktop": {"fDenyTSConnections": 1}}),
        (SAN, {"san": {}}),
        (OURS, {}),
    ],
)
def test_what_is_as_before_is_left_and_leaves_the_record(kit, prior, as_before):
    plan = restored(kit, kit.windows(**as_before), prior)
    assert (plan.changes, plan.findings, plan.prior, plan.exchanges) == ((), (), (), ())


def test_a_service_is_put_back_after_a_preparation_that_was_killed_between_its_two_commands(kit):
    whole = kit.windows()
    host = kit.windows(states=whole.states | {"w32time": 1})
    assert sent(kit, restored(kit, host, SERVICE)) == ["sc.exe config 'w32time' start= demand"]


def test_a_service_that_somebody_disabled_since_is_left_unless_forced(kit):
    whole = kit.windows()
    host = kit.windows(starts=whole.starts | {"w32time": 4})
    plan = restored(kit, host, SERVICE)
    assert kit.rules(plan) == {"restore.changed-since": "warning"}
    assert plan.prior == (SERVICE,)
    assert plan.changes == ()
    assert len(sent(kit, restored(kit, host, SERVICE, force=True))) == 2


def test_a_value_that_somebody_changed_since_is_left_with_its_name_unless_forced(kit):
    host = kit.windows(policies={"LocalAccountTokenFilterPolicy": 7})
    plan = restored(kit, host, TOKEN)
    assert kit.rules(plan) == {"restore.changed-since": "warning"}
    assert "LocalAccountTokenFilterPolicy" in plan.findings[0].text
    assert "it is 7" in plan.findings[0].text
    assert plan.prior == (TOKEN,)
    assert plan.changes == ()
    assert len(restored(kit, host, TOKEN, force=True).changes) == 1


@pytest.mark.parametrize(
    ("user", "policies", "left"),
    [
        (JO, {}, True),
        (JO, {"EnableLUA": 0}, False),
        (("corp\\svc", "S-1-5-21-9-9-9-1104"), {}, False),
        (("app-1\\administrator", "S-1-5-21-1-2-3-500"), {}, False),
        (("app-1\\administrator", "S-1-5-21-1-2-3-500"), {"FilterAdministratorToken": 1}, True),
    ],
)
def test_the_token_filter_stays_when_the_account_that_connects_would_lose_its_rights(kit, user, policies, left):
    host = kit.windows(user=user, policies={"LocalAccountTokenFilterPolicy": 1, **policies})
    plan = restored(kit, host, TOKEN)
    assert kit.rules(plan) == ({"restore.lock-out": "warning"} if left else {})
    assert bool(plan.changes) is not left
    assert len(restored(kit, host, TOKEN, force=True).changes) == 1


def test_a_key_that_was_made_for_us_goes_when_nothing_else_is_in_it(kit):
    plan = restored(kit, kit.windows(san={"SanPolicy": 1}), SAN, KEY)
    assert sent(kit, plan) == [f"reg delete '{SAN_KEY}' /v 'SanPolicy' /f", f"reg delete '{SAN_KEY}' /f"]
    assert sent(kit, restored(kit, kit.windows(san={}), SAN, KEY)) == [f"reg delete '{SAN_KEY}' /f"]
    assert len(sent(kit, restored(kit, kit.windows(san={"SanPolicy": 1, "Other": 1}), SAN, KEY))) == 1
    assert restored(kit, kit.windows(san=None), SAN, KEY).changes == ()


def test_a_group_that_was_off_is_switched_off_as_one(kit):
    host = with_rules(kit, A=SMB.format("TRUE"), B=SESSION.format("TRUE"))
    plan = restored(kit, host, rule_prior("A", SMB), rule_prior("B", SESSION))
    assert sent(kit, plan) == ["netsh advfirewall firewall set rule 'group=@FirewallAPI.dll,-28502' new enable=no"]
    assert plan.changes[0].as_dict() == {
        "what": "firewall group File and Printer Sharing",
        "from": "enabled",
        "to": "2 rules off, as before",
    }


def test_of_a_group_that_was_partly_on_only_the_rules_that_were_off_are_switched(kit):
    host = with_rules(kit, A=SMB.format("TRUE"), B=SESSION.format("TRUE"))
    lines = sent(kit, restored(kit, host, rule_prior("A", SMB)))
    assert lines == [
        "netsh advfirewall firewall set rule 'group=@FirewallAPI.dll,-28502' 'dir=in' 'profile=domain' 'protocol=tcp' "
        "'localport=445' new enable=no"
    ]


def test_rules_that_are_off_again_need_nothing(kit):
    host = with_rules(kit, A=SMB.format("FALSE"), B=SESSION.format("TRUE"))
    assert restored(kit, host, rule_prior("A", SMB)).changes == ()


def test_a_rule_that_somebody_changed_or_deleted_since_is_left_unless_forced(kit):
    other = with_rules(kit, A=SMB.format("TRUE").replace("445", "446"))
    for host in (other, with_rules(kit)):
        plan = restored(kit, host, rule_prior("A", SMB))
        assert kit.rules(plan) == {"restore.changed-since": "warning"}
        assert plan.changes == ()
        assert len(plan.prior) == 1
    assert len(restored(kit, other, rule_prior("A", SMB), force=True).changes) == 1
    assert restored(kit, with_rules(kit), rule_prior("A", SMB), force=True).prior == ()


def test_a_rule_that_cannot_be_told_from_another_one_is_left_with_a_warning(kit):
    host = with_rules(kit, A=SMB.format("TRUE"), B=SMB.format("TRUE"))
    plan = restored(kit, host, rule_prior("A", SMB))
    assert kit.rules(plan) == {"restore.firewall-rule": "warning"}
    assert plan.changes == ()
    assert len(plan.prior) == 1


def test_our_own_rule_goes_also_when_the_record_is_lost(kit):
    plan = restored(kit, with_rules(kit, **{"{1}": OUR_TEXT}))
    assert sent(kit, plan) == ["netsh advfirewall firewall delete rule 'name=asr-migrate Remote Desktop'"]


def test_rules_stay_on_record_while_windows_firewall_does_not_run(kit):
    host = with_rules(kit, **{"A": SMB.format("TRUE"), "{1}": OUR_TEXT})
    host.states["MpsSvc"] = 1
    plan = restored(kit, host, rule_prior("A", SMB), OURS)
    assert kit.rules(plan) == {"restore.firewall-service": "warning"}
    assert {prior.name for prior in plan.prior} == {"A", OURS.name}
    assert plan.changes == ()


def test_only_what_was_for_the_push_goes_back_when_asked_so_and_the_rest_stays_on_record(kit):
    host = with_rules(kit, **{"A": SMB.format("TRUE"), "{1}": OUR_TEXT})
    host.policies["LocalAccountTokenFilterPolicy"] = 1
    rest = (DENY, SAN, KEY, SERVICE, OURS)
    plan = restored(kit, host, TOKEN, rule_prior("A", SMB), *rest, only_push=True)
    assert [change.what for change in plan.changes] == [
        "LocalAccountTokenFilterPolicy",
        "firewall group File and Printer Sharing",
    ]
    assert plan.prior == rest
    assert plan.findings == ()
    assert restored(kit, host, only_push=True).changes == ()


def test_without_a_record_and_without_a_mark_nothing_is_touched(kit):
    plan = restored(kit, kit.windows(policies={"LocalAccountTokenFilterPolicy": 1}))
    assert (plan.changes, plan.findings) == ((), ())


def test_a_kind_that_is_not_known_stays_on_record(kit):
    odd = Prior("certificate", "x", None, {})
    plan = restored(kit, kit.windows(), odd)
    assert kit.rules(plan) == {"restore.unknown-kind": "warning"}
    assert plan.prior == (odd,)


def test_remote_desktop_that_was_on_before_is_not_touched(kit):
    plan = restored(kit, kit.windows(), TOKEN, SERVICE)
    assert not any("-28752" in line or "fDeny" in line for line in sent(kit, plan))
