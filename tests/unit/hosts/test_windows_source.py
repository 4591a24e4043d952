"""A Windows source: facts, findings and changes; each finding with a host that fails it and one that passes."""

from datetime import timedelta

import pytest

from asr_migrate.domain.errors import SetupError
from asr_migrate.domain.machine import Os
from asr_migrate.hosts import profiles

APPLIANCE = "10.20.0.20"


def source(**want):
    return profiles.make("source", Os.WINDOWS, "app-1", want)


def test_the_probe_s_facts_name_the_system_as_the_support_matrix_does(kit):
    facts = source().read(kit.answer(kit.windows().stdout())).facts
    assert facts["os_name"] == "Windows Server 2008 R2 SP1"
    assert facts["service_pack"] == 1
    assert facts["bits"] == 64
    assert facts["host_name"] == "app-1"
    assert facts["addresses"] == ["10.20.1.11"]
    assert facts["virtualization"] == "hvm"
    assert facts["firmware"] == "BIOS"
    assert facts["free_gib"] == {"c:": 20.0}
    assert facts["clock_skew_s"] == 0.0
    assert facts["time_service"] == "running"
    assert facts["mobility"] == {"installed": False, "registered": False, "running": False, "server": None}


@pytest.mark.parametrize(
    ("installed", "aws_pv", "driver"),
    [
        (("xenvbd",), {"Version": "8.3.5"}, "aws"),
        (("xenvbd",), {}, "citrix"),
        (("rhelscsi", "xenvbd"), {"Version": "8.3.5"}, "redhat"),
        (("disk",), {}, "none"),
    ],
)
def test_the_pv_driver_is_told_by_its_services_and_aws_s_key(kit, installed, aws_pv, driver):
    host = kit.windows(installed=installed, aws_pv=aws_pv)
    assert source().read(kit.answer(host.stdout())).facts["pv_driver"] == driver


@pytest.mark.parametrize(
    ("installed", "interface"),
    [(("awsnvme",), "nvme"), (("xenvbd",), "xen"), (("awsnvme", "xenvbd"), None), ((), None)],
)
def test_the_storage_interface_is_unknown_when_an_image_carries_both_drivers(kit, installed, interface):
    host = kit.windows(installed=installed)
    assert source().read(kit.answer(host.stdout())).facts["storage_interface"] == interface


def test_a_host_without_an_answer_from_the_registry_is_refused_by_name_of_the_policy(kit):
    said = kit.answer("@@ os\n", "ERROR: Registry editing has been disabled by your administrator.")
    with pytest.raises(SetupError) as refused:
        source().read(said)
    assert "Registry editing has been disabled" in refused.value.message
    assert "Prevent access to registry editing tools" in refused.value.remedy


def test_a_ready_host_has_no_findings_and_no_changes(kit):
    host = kit.windows(policies={"LocalAccountTokenFilterPolicy": 1}, reached={f"{APPLIANCE} 443": "open"})
    plan = kit.planned(source(push=True, reach=[[APPLIANCE, 443]]), host)
    assert plan.findings == ()
    assert plan.changes == ()
    assert plan.exchanges == ()


def test_a_fresh_host_is_prepared_for_a_push_in_one_round_trip(kit):
    host = kit.windows(active=dict.fromkeys(("-28502", "-34251"), "FALSE"))
    plan = kit.planned(source(push=True), host)
    assert [(change.what, change.before, change.after) for change in plan.changes] == [
        ("LocalAccountTokenFilterPolicy", None, "1"),
        ("firewall group File and Printer Sharing", "disabled", "enabled"),
        ("firewall group Windows Management Instrumentation (WMI)", "disabled", "enabled"),
    ]
    assert len(plan.exchanges) == 1
    sent = kit.decoded(plan.exchanges[0])
    assert "reg add 'HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Policies\\System'" in sent
    assert "/v 'LocalAccountTokenFilterPolicy' /t REG_DWORD /d 1 /f" in sent
    assert "'group=@FirewallAPI.dll,-28502' new enable=yes" in sent
    assert "'group=@FirewallAPI.dll,-34251' new enable=yes" in sent
    assert plan.prior["token_filter_policy"] is None


def test_without_a_push_nothing_of_it_is_touched(kit):
    assert kit.planned(source(), kit.windows(active=dict.fromkeys(("-28502", "-34251"), "FALSE"))).changes == ()


def test_a_wrong_policy_value_is_replaced_and_kept(kit):
    plan = kit.planned(source(push=True), kit.windows(policies={"LocalAccountTokenFilterPolicy": 0}))
    assert plan.prior == {"token_filter_policy": 0}
    assert plan.changes[0].before == "0"


@pytest.mark.parametrize(
    ("policy", "states", "found", "changes"),
    [
        ("running", {"w32time": 1}, {}, ["service w32time"]),
        ("required", {"w32time": 1}, {"windows.time-service": "blocker"}, []),
        ("required", {}, {"windows.time-service": "blocker"}, []),
        ("required", {"w32time": 4}, {}, []),
        ("ignored", {"w32time": 1}, {}, []),
    ],
)
def test_a_time_service_that_stands_still_is_started_refused_or_left(kit, policy, states, found, changes):
    plan = kit.planned(source(time_service=policy), kit.windows(states=states))
    assert kit.rules(plan) == found
    assert [change.what for change in plan.changes] == changes


@pytest.mark.parametrize(
    ("want", "broken", "rule", "severity"),
    [
        ({}, {"utc": timedelta(minutes=16)}, "host.clock", "blocker"),
        ({}, {"utc": timedelta(minutes=-6)}, "host.clock", "warning"),
        ({"reach": [[APPLIANCE, 9443]]}, {"reached": {f"{APPLIANCE} 9443": "closed"}}, "host.reach", "blocker"),
        ({}, {"sids": ("S-1-5-32-545",)}, "windows.administrator", "blocker"),
        ({"push": True}, {"denied_by_policy": ("-28502",)}, "windows.firewall-by-policy", "blocker"),
        ({"push": True}, {"active": {}}, "windows.firewall-group", "warning"),
        ({"push": True}, {"free_bytes": {"c:": 500 * 2**20}}, "windows.free-space", "blocker"),
    ],
)
def test_each_hindrance_is_found_with_a_remedy_and_only_then(kit, want, broken, rule, severity):
    if "utc" in broken:
        broken = {"utc": kit.sent + broken["utc"]}
    whole = kit.windows(reached={f"{APPLIANCE} 9443": "open"})
    plan = kit.planned(source(**want), kit.windows(**({"reached": whole.reached} | broken)))
    assert kit.rules(plan)[rule] == severity
    assert all(finding.remedy and finding.source for finding in plan.findings)
    assert rule not in kit.rules(kit.planned(source(**want), whole))


def test_a_change_that_the_host_refuses_is_named_with_its_exit_code(kit):
    plan = kit.planned(source(push=True), kit.windows())
    said = kit.answer("@@ change LocalAccountTokenFilterPolicy\n@@rc 5\n", "ERROR: Access is denied.")
    error = plan.exchanges[0].judge(said)
    assert "change LocalAccountTokenFilterPolicy failed with exit code 5: ERROR: Access is denied." in error.message
    assert error.remedy
    assert plan.exchanges[0].judge(kit.answer("@@ change x\n@@rc 1056\n@@rc 0\n")) is None
