"""A Windows source: facts and findings; each finding with a host that fails it and one that passes."""

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
    assert facts["mobility"]["installed"] is False


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
    assert plan.prior == ()


@pytest.mark.parametrize(
    ("user", "sids", "local"),
    [
        (("app-1\\administrator", "S-1-5-21-1-2-3-500"), (), True),
        (("APP-1\\jo", "S-1-5-21-1-2-3-1001"), (), True),
        (("corp\\svc-asr", "S-1-5-21-9-9-9-1104"), (), False),
        (("renamed\\jo", "S-1-5-21-1-2-3-1001"), ("S-1-5-113",), True),
        ((), (), None),
    ],
)
def test_a_local_account_is_told_by_the_computer_s_name_or_its_token(kit, user, sids, local):
    host = kit.windows(user=user, sids=("S-1-5-32-544", "S-1-16-12288", *sids))
    assert source().read(kit.answer(host.stdout())).facts["account_is_local"] is local


def test_a_winhttp_proxy_is_read_from_its_binary_setting(kit):
    name = b"10.0.0.9:3128"
    data = bytes.fromhex("180000000000000003000000") + len(name).to_bytes(4, "little") + name + bytes(4)
    facts = source().read(kit.answer(kit.windows(winhttp=data.hex().upper()).stdout())).facts
    assert facts["winhttp_proxy"] == "10.0.0.9:3128"
    assert source().read(kit.answer(kit.windows(winhttp="").stdout())).facts["winhttp_proxy"] == ""


def test_ec2_s_own_persistent_routes_are_not_reported(kit):
    host = kit.windows(routes=("169.254.169.254,255.255.255.255,10.20.1.1,15", "10.9.0.0,255.255.0.0,10.20.1.1,1"))
    plan = kit.planned(source(), host)
    assert [finding.rule for finding in plan.findings] == ["windows.persistent-routes"]
    assert "10.9.0.0/255.255.0.0 via 10.20.1.1" in plan.findings[0].text
    assert "169.254" not in plan.findings[0].text


OLD = {
    "ProductName": "Windows Server 2008 R2 Standard",
    "CSDVersion": "Service Pack 1",
    "BuildLabEx": "7601.24214.amd64fre.win7sp1_ldr_escrow.180801-1700",
}
NEW = OLD | {"BuildLabEx": "7601.24545.amd64fre.win7sp1_ldr_escrow.200102-1707"}


@pytest.mark.parametrize(
    ("printed", "found"),
    [
        ("Package_for_KB4474419~31bf3856ad364e35~amd64~~6.1.3.2", False),
        ("Package_for_KB4474419_SP1~31bf3856ad364e35~amd64~~6.1.3.2", False),
        ("Package_for_KB44744190~31bf3856ad364e35~amd64~~6.1.3.2", True),
        ("", True),
    ],
)
def test_an_update_is_known_by_the_name_of_its_package(kit, printed, found):
    said = kit.windows(os=OLD, updates=("KB4490628",)).stdout()
    said = said.replace("@@ share", f"@@ updates\nHKEY_LOCAL_MACHINE\\SOFTWARE\\Packages\\{printed}\n@@ share")
    profile = source()
    assert ("windows.sha2-updates" in kit.rules(profile.plan(profile.read(kit.answer(said))))) is found


@pytest.mark.parametrize(
    ("os", "updates", "found"),
    [
        (OLD, ("KB4490628", "KB4474419"), False),
        (OLD, ("KB4490628",), True),
        (OLD, (), True),
        (NEW, (), False),
        ({"ProductName": "Windows Server 2012 R2 Standard"}, (), False),
    ],
)
def test_2008_r2_needs_both_updates_or_a_kernel_that_proves_them(kit, os, updates, found):
    plan = kit.planned(source(), kit.windows(os=os, updates=updates))
    assert ("windows.sha2-updates" in kit.rules(plan)) is found


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
    running = {"LanmanServer": 4, "Winmgmt": 4, "TermService": 4, "MpsSvc": 4}
    plan = kit.planned(source(time_service=policy), kit.windows(states=running | states))
    assert kit.rules(plan) == found
    assert [change.what for change in plan.changes] == changes


def test_a_time_service_that_is_not_installed_cannot_be_started(kit):
    whole = kit.windows()
    starts = {name: number for name, number in whole.starts.items() if name != "w32time"}
    states = {name: number for name, number in whole.states.items() if name != "w32time"}
    plan = kit.planned(source(), kit.windows(starts=starts, states=states))
    assert kit.rules(plan) == {"windows.time-service": "blocker"}
    assert plan.changes == ()


PUSH = {"push": True}
INSTALLED = {"PostInstallActions": "Succeeded", "AgentConfigurationStatus": "Succeeded", "ServerName": "10.20.0.20"}
POLICY = "DomainProfile\\Services\\FileAndPrint"
RUNNING = {"w32time": 4, "LanmanServer": 4, "Winmgmt": 4, "TermService": 4, "MpsSvc": 4}
STARTS = {
    "w32time": 2,
    "LanmanServer": 2,
    "Winmgmt": 2,
    "TermService": 3,
    "MpsSvc": 2,
    "VSS": 3,
    "swprv": 3,
    "EventSystem": 2,
    "COMSysApp": 3,
}
MEDIUM = ("S-1-5-32-544", "S-1-16-8192")


@pytest.mark.parametrize(
    ("want", "broken", "rule", "severity"),
    [
        ({}, {"utc": timedelta(minutes=16)}, "host.clock", "blocker"),
        ({}, {"utc": timedelta(minutes=-6)}, "host.clock", "warning"),
        ({"reach": [[APPLIANCE, 9443]]}, {"reached": {f"{APPLIANCE} 9443": "closed"}}, "host.reach", "blocker"),
        ({"reach": [[APPLIANCE, 9443]]}, {"reached": {}}, "host.reach", "warning"),
        ({}, {"sids": ("S-1-5-32-545",)}, "windows.administrator", "blocker"),
        ({}, {"sids": MEDIUM}, "windows.elevated", "blocker"),
        ({}, {"secure_boot": 1}, "windows.secure-boot", "blocker"),
        ({}, {"fips": 1}, "windows.fips", "warning"),
        ({}, {"free_bytes": {"c:": 500 * 2**20}}, "windows.free-space", "blocker"),
        ({}, {"reboot_codes": (0, 1, 1)}, "windows.pending-reboot", "blocker"),
        ({}, {"reboot_codes": (1, 0, 1)}, "windows.pending-reboot", "blocker"),
        ({}, {"reboot_codes": (1, 1, 0)}, "windows.pending-reboot", "warning"),
        ({}, {"reboot_codes": (0, 0, 0), "mobility": INSTALLED}, "windows.pending-reboot", "warning"),
        ({}, {"bitlocker": ("C:|1|1",)}, "windows.bitlocker", "blocker"),
        ({}, {"partitions": ("0|0|False",)}, "windows.boot-disk", "blocker"),
        ({}, {"partitions": ()}, "windows.disks-known", "warning"),
        ({}, {"disks": ("  Disk 0    Online           30 GB      0 B   *    ",)}, "windows.dynamic-disk", "blocker"),
        ({}, {"storage_spaces": ("pool",)}, "windows.storage-spaces", "blocker"),
        ({}, {"starts": STARTS | {"VSS": 4}}, "windows.vss", "warning"),
        ({}, {"starts": STARTS | {"COMSysApp": 4}}, "windows.vss", "warning"),
        ({}, {"routes": ("10.9.0.0,255.255.0.0,10.20.1.1,1",)}, "windows.persistent-routes", "warning"),
        ({}, {"winhttp": "18000000000000000300000001000000" + "41"}, "windows.winhttp-proxy", "warning"),
        ({}, {"remote_desktop_policy": {"fDenyTSConnections": 1}}, "windows.remote-desktop", "warning"),
        ({}, {"starts": STARTS | {"TermService": 4}}, "windows.remote-desktop", "warning"),
        ({}, {"denied_by_policy": ("-28752",)}, "windows.remote-desktop", "warning"),
        (PUSH, {"states": RUNNING | {"MpsSvc": 1}, "active": {}}, "windows.firewall-service", "warning"),
        (PUSH, {"denied_by_policy": ("-28502",)}, "windows.firewall-by-policy", "blocker"),
        (PUSH, {"policy_keys": {POLICY: {"Enabled": 0}}}, "windows.firewall-by-policy", "blocker"),
        (
            PUSH,
            {"policy_keys": {"DomainProfile": {"AllowLocalPolicyMerge": 0}}},
            "windows.firewall-by-policy",
            "blocker",
        ),
        (PUSH, {"active": {"-34251": "TRUE"}}, "windows.firewall-group", "warning"),
        (PUSH, {"states": RUNNING | {"LanmanServer": 1}}, "windows.admin-share", "blocker"),
        (PUSH, {"shares": {"AutoShareServer": 0}}, "windows.admin-share", "blocker"),
        (PUSH, {"starts": STARTS | {"Winmgmt": 4}, "partitions": ()}, "windows.wmi", "blocker"),
    ],
)
def test_each_hindrance_is_found_alone_with_a_remedy_and_only_then(kit, want, broken, rule, severity):
    if "utc" in broken:
        broken = {"utc": kit.sent + broken["utc"]}
    whole = kit.windows(reached={f"{APPLIANCE} 9443": "open"})
    plan = kit.planned(source(**want), kit.windows(**({"reached": whole.reached} | broken)))
    assert kit.rules(plan) == {rule: severity}
    assert all(finding.remedy and finding.source and "app-1" in finding.text for finding in plan.findings)
    assert kit.rules(kit.planned(source(**want), whole)) == {}


@pytest.mark.parametrize("broken", [{"shares": {"AutoShareServer": 0}}, {"free_bytes": {"c:": 2**20}}, {"updates": ()}])
def test_a_host_whose_mobility_service_is_installed_is_not_asked_what_only_its_installation_needs(kit, broken):
    host = kit.windows(mobility=INSTALLED, os=OLD, **broken)
    plan = kit.planned(source(push=True), host)
    assert kit.rules(plan) == {}
    assert plan.changes == ()
