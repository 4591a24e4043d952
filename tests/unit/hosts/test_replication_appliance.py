"""The replication appliance: prerequisites and installation."""

import pytest

from asr_migrate.domain.errors import InputError
from asr_migrate.domain.machine import Os
from asr_migrate.hosts import profiles

WINDOWS_2022 = {"ProductName": "Windows Server 2022 Datacenter", "CurrentBuild": "20348", "InstallationType": "Server"}
CLOSED = {"127.0.0.1 443": "closed", "127.0.0.1 44368": "closed"}


def profile(**want):
    return profiles.make("replication_appliance", Os.WINDOWS, "ra-1", {"check_urls": False} | want)


def host(kit, **broken):
    disks = {"c:": 60 * 2**30, "e:": 610 * 2**30}
    return kit.windows(**({"os": WINDOWS_2022, "installed": (), "free_bytes": disks, "reached": CLOSED} | broken))


def test_a_fit_server_gets_microsoft_s_script(kit):
    plan = kit.planned(profile(), host(kit))
    assert plan.findings == ()
    assert [exchange.name for exchange in plan.exchanges] == [
        "download https://aka.ms/V2ARcmApplianceCreationPowershellZip",
        "run DRInstaller.ps1",
    ]
    sent = kit.decoded(plan.exchanges[1])
    work = "C:\\Windows\\asr-migrate"
    assert f"tar.exe -xf '{work}\\Appliance.zip' -C '{work}\\appliance'" in sent
    assert f"GetFiles('{work}\\appliance', 'DRInstaller.ps1', 'AllDirectories')" in sent


def test_an_appliance_whose_configuration_manager_answers_is_left_alone(kit):
    answering = {"127.0.0.1 443": "open", "127.0.0.1 44368": "open"}
    plan = kit.planned(profile(), host(kit, reached=answering, installed=("w3svc",)))
    assert plan.changes == ()
    assert plan.findings == ()


@pytest.mark.parametrize(
    ("product", "severity"),
    [
        ("Windows Server 2019 Standard", "warning"),
        ("Windows Server 2016 Standard", "blocker"),
        ("Windows Server 2025", "blocker"),
    ],
)
def test_only_windows_server_2022_is_taken_without_a_word(kit, product, severity):
    plan = kit.planned(profile(), host(kit, os=WINDOWS_2022 | {"ProductName": product}))
    assert kit.rules(plan) == {"appliance.os": severity}


def test_tls_1_0_does_not_matter_to_it(kit):
    assert kit.planned(profile(), host(kit, tls_server={"Enabled": 0})).findings == ()


def test_a_failed_script_says_where_to_read_on(kit):
    script = kit.planned(profile(), host(kit)).exchanges[1]
    error = script.explain(script.judge(kit.answer("@@ install\n@@rc 1\n")), "x\nERROR: port 443 is in use\n")
    assert "ERROR: port 443 is in use" in error.message
    assert "ASRSetupLogs" in error.remedy


def test_an_appliance_is_no_linux_host():
    with pytest.raises(InputError, match="needs a Windows host"):
        profiles.make("replication_appliance", Os.LINUX, "db-1", {})


def test_an_unknown_profile_is_named_with_the_known_ones():
    with pytest.raises(InputError) as refused:
        profiles.make("target", Os.WINDOWS, "app-1", {})
    assert "configuration_server" in refused.value.remedy


def test_a_wrong_want_is_named_without_its_value():
    with pytest.raises(InputError) as refused:
        profiles.make("configuration_server", Os.WINDOWS, "cs-1", {"mysql_rot_password": "do-not-show"})
    assert "mysql_rot_password" in refused.value.message
    assert "do-not-show" not in str(refused.value.as_dict())


def test_the_data_drive_with_most_room_is_judged(kit):
    disks = {"c:": 60 * 2**30, "d:": 400 * 2**30, "e:": 10 * 2**30}
    plan = kit.planned(profile(), host(kit, free_bytes=disks))
    assert kit.rules(plan) == {"server.cache": "warning"}
    assert "disk D:" in plan.findings[0].text


def test_hyper_threads_are_no_cores(kit):
    assert kit.rules(kit.planned(profile(), host(kit, physical_cores=4))) == {"server.physical-cores": "blocker"}


def test_physical_cores_are_not_counted_when_the_user_says_so(kit):
    assert kit.planned(profile(physical_cores=0), host(kit, physical_cores=4)).findings == ()


@pytest.mark.parametrize(
    ("broken", "rule"),
    [
        ({"language": "0809"}, "server.language"),
        ({"culture": "en-GB"}, "server.locale"),
        ({"user_languages": "en-GB"}, "server.locale"),
    ],
)
def test_it_wants_the_english_of_the_united_states(kit, broken, rule):
    assert kit.rules(kit.planned(profile(), host(kit, **broken))) == {rule: "blocker"}


def test_a_pending_restart_deserves_a_look(kit):
    found = kit.rules(kit.planned(profile(), host(kit, reboot_codes=(1, 1, 0))))
    assert found == {"server.reboot-pending": "warning"}


def test_an_installation_that_broke_off_is_run_again_over_its_own_web_server(kit):
    broken = host(
        kit,
        states={"w32time": 4, "rcmproxyagent": 4},
        installed=("w3svc",),
        reached=CLOSED | {"127.0.0.1 443": "open"},
        sites='<site name="Default Web Site" id="1">',
    )
    plan = kit.planned(profile(), broken)
    assert plan.findings == ()
    assert plan.exchanges[-1].name == "run DRInstaller.ps1"


def test_a_proxy_with_a_password_is_refused_before_anything_is_changed(kit):
    proxy = {"address": "10.20.0.5", "port": 3128, "user": "asr", "password": "do-not-show"}
    missing = kit.planned(profile(proxy=proxy), host(kit)).missing
    assert [error.code for error in missing] == ["ProxyNotSupported"]
    assert "do-not-show" not in str(missing[0].as_dict())
