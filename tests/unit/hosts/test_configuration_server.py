"""The configuration server: prerequisites, installation, and what its logs tell."""

from functools import partial

import pytest

from asr_migrate.domain.errors import InputError, SetupError
from asr_migrate.domain.machine import Os
from asr_migrate.hosts import profiles
from asr_migrate.hosts.configuration_server import SERVICES
from asr_migrate.hosts.prepare import ConnectionLostError, prepare

from .configuration_servers import SECRETS, WINDOWS_2016, fit_server, installed_server, profile, setup_of


@pytest.fixture
def fit(kit):
    return partial(fit_server, kit)


@pytest.fixture
def installed(kit):
    return partial(installed_server, kit)


def test_a_fit_server_gets_unified_setup_and_one_restart(kit, fit):
    plan = kit.planned(profile(address="10.20.1.11"), fit())
    assert plan.findings == ()
    assert plan.missing == ()
    assert [exchange.name for exchange in plan.exchanges] == [
        "download https://aka.ms/unifiedsetup",
        "run Unified Setup",
    ]
    sent = kit.decoded(setup_of(plan))
    assert "UNIFIEDSETUP.EXE' '/AcceptThirdpartyEULA' '/servermode' 'CS' '/InstallLocation' 'D:\\'" in sent
    assert "'/EnvType' 'NonVMWare' '/PSIP' '10.20.1.11' '/CSIP' '10.20.1.11'" in sent
    assert "/SkipSpaceCheck" not in sent
    assert "/Proxy" not in sent
    assert "'/SkipSpaceCheck'" in kit.decoded(setup_of(kit.planned(profile(skip_space_check=True), fit())))
    assert "'/BypassProxy'" in kit.decoded(setup_of(kit.planned(profile(bypass_proxy=True), fit())))


def test_no_secret_stands_in_a_command_line_or_a_text(kit, fit):
    plan = kit.planned(profile(), fit())
    texts = "".join(exchange.command + kit.decoded(exchange) for exchange in plan.exchanges)
    assert not any(secret in texts for secret in SECRETS.values())
    mysql = b'[MySQLCredentials]\r\nMySQLRootPassword = "R00t_pass!"\r\nMySQLUserPassword = "Us3r_pass!"\r\n'
    assert kit.contents(setup_of(plan)) == [mysql, b"<RSVaultAsrCreds/>\r\n"]


def test_the_files_with_secrets_are_deleted_before_and_after_setup_and_by_the_cleaning(kit, fit):
    plan = kit.planned(profile(), fit())
    deleting = [line for line in kit.decoded(setup_of(plan)).splitlines() if "del /f /q" in line]
    assert len(deleting) == 2
    assert deleting[0] == deleting[1] == kit.decoded(plan.cleanup)
    assert kit.decoded(setup_of(plan)).splitlines()[-3:] == [
        deleting[1],
        "if ($done -eq 0) { shutdown /r /t 5 /d p:4:2 }",
        "if ($done -eq 3010) { shutdown /r /t 5 /d p:4:2 }",
    ]
    assert "shutdown" not in kit.decoded(setup_of(kit.planned(profile(restart=False), fit())))
    assert all(name in deleting[0] for name in ("MySQLCredentials.txt", "Vault.VaultCredentials", "ProxySettings.txt"))


def test_a_proxy_is_given_in_a_file_of_the_documented_form(kit, fit):
    proxy = {"address": "10.20.0.5", "port": 3128, "user": "corp\\asr", "password": "Proxy-1!"}
    setup = setup_of(kit.planned(profile(proxy=proxy), fit()))
    assert "'/ProxySettingsFilePath' 'C:\\Windows\\asr-migrate\\ProxySettings.txt'" in kit.decoded(setup)
    assert kit.contents(setup)[2].decode().splitlines() == [
        "[ProxySettings]",
        'ProxyAuthentication = "Yes"',
        'Proxy IP = "10.20.0.5"',
        'ProxyPort = "3128"',
        'ProxyUserName="corp\\asr"',
        'ProxyPassword="Proxy-1!"',
    ]
    plain = setup_of(kit.planned(profile(proxy={"address": "10.20.0.5", "port": 3128}), fit()))
    assert b'ProxyAuthentication = "No"' in kit.contents(plain)[2]


def test_the_file_of_the_published_form_names_the_proxy_by_a_url(kit, fit):
    proxy = {"address": "10.20.0.5", "port": 3128, "file_form": "published_source"}
    rows = kit.contents(setup_of(kit.planned(profile(proxy=proxy), fit())))[2].decode().splitlines()
    assert 'ProxyIP = "http://10.20.0.5"' in rows
    assert not any(row.startswith("Proxy IP") for row in rows)


def test_files_with_secrets_of_a_run_that_broke_off_go_first(kit, fit, installed):
    left = ("MySQLCredentials.txt", "setup", "Vault.VaultCredentials")
    for host in (fit(left=left), installed(left=left)):
        plan = kit.planned(profile(), host)
        assert plan.changes[0].before == "MySQLCredentials.txt, Vault.VaultCredentials"
        assert plan.exchanges[0].name == "clean up"
    assert kit.planned(profile(), installed(left=("setup",))).changes == ()


def test_the_restart_that_ends_setup_is_made_once(kit, fit, installed):
    assert "/v 'RestartAfterSetup' /t REG_SZ /d '00A1' /f" in kit.decoded(setup_of(kit.planned(profile(), fit())))
    owed = kit.planned(profile(), installed(notes={"RestartAfterSetup": "00A1"}))
    assert [change.what for change in owed.changes] == ["restart after Unified Setup"]
    assert "shutdown /r" in kit.decoded(owed.exchanges[0])
    restarted = installed(notes={"RestartAfterSetup": "00A1"}, last_shutdown="00B2")
    assert kit.planned(profile(), restarted).changes == ()
    declined = kit.planned(profile(restart=False), installed(notes={"RestartAfterSetup": "00A1"}))
    assert declined.changes == ()


def test_a_setup_that_still_runs_is_waited_for_and_not_restarted(kit, fit, installed):
    plan = kit.planned(profile(), fit(programs=("UNIFIEDSETUP.EXE",)))
    assert [(change.before, change.after) for change in plan.changes] == [
        ("being installed", "installed and registered")
    ]
    assert plan.exchanges == ()
    owed = installed(notes={"RestartAfterSetup": "00A1"}, programs=("UNIFIEDSETUP.EXE",))
    assert kit.planned(profile(), owed).exchanges == ()


@pytest.mark.parametrize(
    ("broken", "rule", "severity"),
    [
        ({"os": WINDOWS_2016 | {"ProductName": "Windows Server 2022 Standard"}}, "configuration-server.os", "blocker"),
        ({"os": WINDOWS_2016 | {"InstallationType": "Server Core"}}, "server.desktop", "blocker"),
        ({"tls_server": {"Enabled": 0}}, "configuration-server.tls-1.0", "blocker"),
        ({"tls_client": {"DisabledByDefault": 1}}, "configuration-server.tls-1.0", "blocker"),
        ({"language": "0407"}, "server.language", "blocker"),
        ({"culture": "de-DE"}, "server.locale", "blocker"),
        ({"user_languages": "de-DE\\0en-US"}, "server.locale", "blocker"),
        ({"machine_languages": "fr-FR"}, "server.locale", "blocker"),
        ({"installed": ("w3svc",)}, "server.role", "blocker"),
        ({"installed": ("ntds",)}, "server.role", "blocker"),
        ({"installed": ("vmms",)}, "server.role", "blocker"),
        ({"restrictions": [{"DisableRegistryTools": 1}]}, "server.group-policy", "blocker"),
        ({"restrictions": [{"DisableCMD": 2}]}, "server.group-policy", "blocker"),
        ({"restrictions": [{"UseTrustedHandlers": 3}]}, "server.group-policy", "blocker"),
        ({"restrictions": [{"ExecutionPolicy": "AllSigned"}]}, "server.group-policy", "blocker"),
        ({"restrictions": [{"EnableScripts": 0}]}, "server.group-policy", "blocker"),
        ({"restrictions": [{"DisableCMD": 1}, {"DisableCMD": 0}]}, "server.group-policy", "blocker"),
        (
            {"restrictions": [{"ExecutionPolicy": "AllSigned"}, {"ExecutionPolicy": "RemoteSigned"}]},
            "server.group-policy",
            "blocker",
        ),
        ({"policies": {"DisableRegistryTools": 1}}, "server.group-policy", "blocker"),
        ({"fips": 1}, "server.fips", "blocker"),
        ({"reached": {"127.0.0.1 443": "open"}}, "server.port-443", "blocker"),
        ({"sids": ("S-1-5-32-544",)}, "server.elevated", "blocker"),
        ({"sids": ()}, "server.elevated", "blocker"),
        ({"states": {"w32time": 1}}, "windows.time-service", "blocker"),
        ({"free_bytes": {"c:": 2**40}}, "server.disk", "blocker"),
        ({"free_bytes": {"d:": 4 * 2**30}}, "server.disk", "blocker"),
        ({"free_bytes": {"d:": 600 * 2**30 - 1}}, "server.cache", "blocker"),
        ({"environment": {"NUMBER_OF_PROCESSORS": "4"}}, "server.cores", "warning"),
        ({"reboot_codes": (0, 1, 1)}, "server.reboot-pending", "warning"),
        ({"reboot_codes": (1, 0, 1)}, "server.reboot-pending", "warning"),
        ({"reboot_codes": (1, 1, 0)}, "server.reboot-pending", "blocker"),
        ({"updates_key": {"UpdateExeVolatile": 1}}, "server.reboot-pending", "blocker"),
        ({"updates_key": {"UpdateExeVolatile": "4"}}, "server.reboot-pending", "blocker"),
        ({"physical_cores": 4}, "server.physical-cores", "blocker"),
        ({"memory_gib": 15.0}, "server.memory", "warning"),
        ({"sites": '<site name="Default Web Site" id="1">'}, "server.web-site", "blocker"),
        ({"interfaces": ({"EnableDHCP": 1, "DhcpIPAddress": "10.20.1.11"},)}, "server.static-address", "warning"),
    ],
)
def test_each_prerequisite_is_found_when_it_is_broken_and_only_then(kit, fit, broken, rule, severity):
    plan = kit.planned(profile(physical_cores=8), fit(**broken))
    assert kit.rules(plan) == {rule: severity}
    assert all(finding.remedy for finding in plan.findings)
    assert kit.rules(kit.planned(profile(physical_cores=8), fit())) == {}


@pytest.mark.parametrize(
    "host",
    [
        {"language": "0809", "culture": "en-GB", "user_languages": "en-GB", "machine_languages": "de-DE"},
        {"culture": "", "machine_languages": ""},
        {"updates_key": {"UpdateExeVolatile": 0}},
        {"updates_key": {"UpdateExeVolatile": "0"}},
        {"restrictions": [{"UseTrustedHandlers": 2, "EnableScripts": 1}, {"ExecutionPolicy": "RemoteSigned"}]},
    ],
)
def test_what_setup_takes_is_no_finding(kit, fit, host):
    assert kit.planned(profile(), fit(**host)).findings == ()


def test_setup_that_does_not_look_at_the_room_is_only_warned_of(kit, fit):
    small = fit(free_bytes={"d:": 100 * 2**30})
    assert kit.rules(kit.planned(profile(skip_space_check=True), small)) == {"server.cache": "warning"}


@pytest.mark.parametrize("place", ["C:\\", "c:", "C:/"])
def test_the_root_of_the_system_s_drive_is_no_place_to_install_to(kit, fit, place):
    plan = kit.planned(profile(install_location=place), fit(free_bytes={"c:": 2**40}))
    assert kit.rules(plan) == {"server.install-location": "blocker"}
    folder = kit.planned(profile(install_location="C:\\ASR"), fit(free_bytes={"c:": 2**40}))
    assert folder.findings == ()


def test_memory_and_cores_are_judged_by_what_the_number_of_machines_needs(kit, fit):
    needs = profile(memory_gib=32, cores=16, cache_free_gib=1000)
    assert kit.rules(kit.planned(needs, fit())) == {"server.cores": "warning", "server.cache": "warning"}
    assert kit.rules(kit.planned(profile(memory_gib=64), fit())) == {"server.memory": "warning"}


def test_a_server_behind_nat_is_refused(kit, fit):
    plan = kit.planned(profile(address="203.0.113.9"), fit())
    assert kit.rules(plan) == {"server.address": "blocker"}
    assert "203.0.113.9" in plan.findings[0].text


def test_a_fixed_address_is_no_finding(kit, fit):
    fixed = ({"EnableDHCP": 0, "IPAddress": "10.20.1.11"}, {"EnableDHCP": 1, "DhcpIPAddress": "0.0.0.0"})
    assert kit.planned(profile(), fit(interfaces=fixed)).findings == ()


def test_an_installed_server_is_left_alone_and_its_passphrase_read(kit, installed):
    wanted = profile(passphrase=True)
    reading = wanted.read(kit.answer(installed().stdout()))
    plan = wanted.plan(reading)
    assert plan.changes == ()
    assert plan.findings == ()
    assert reading.private == {"passphrase": "the-passphrase"}
    assert "the-passphrase" not in str(reading.facts)
    assert "genpassphrase.exe' '-v'" in kit.decoded(wanted.probe())
    assert "genpassphrase" not in kit.decoded(profile().probe())


def test_an_installed_server_needs_no_secrets_and_no_prerequisites_any_more(kit, installed):
    wanted = profiles.make("configuration_server", Os.WINDOWS, "cs-1", {"check_urls": False})
    plan = kit.planned(wanted, installed(installed=("w3svc",), tls_server={"Enabled": 0}))
    assert plan.missing == ()
    assert plan.findings == ()


def test_a_passphrase_that_cannot_be_read_is_said(kit, installed):
    plan = kit.planned(profile(passphrase=True), installed(passphrase=""))
    assert kit.rules(plan) == {"configuration-server.passphrase": "blocker"}


def test_a_service_that_stands_still_is_started(kit, installed):
    states = {"w32time": 4} | dict.fromkeys(SERVICES, 4) | {"InMage PushInstall": 1}
    plan = kit.planned(profile(), installed(states=states))
    assert [change.what for change in plan.changes] == ["service InMage PushInstall"]
    assert "net start 'InMage PushInstall'" in kit.decoded(plan.exchanges[0])


def test_a_setup_that_broke_off_is_run_again_over_its_own_web_server(kit, fit):
    states = {"w32time": 4, "ProcessServer": 4, "W3SVC": 4}
    host = fit(states=states, installed=("w3svc", "processserver"), reached={"127.0.0.1 443": "open"})
    plan = kit.planned(profile(), host)
    assert plan.findings == ()
    assert setup_of(plan)


@pytest.mark.parametrize(
    ("want", "word"),
    [
        ({"vault_credentials": ""}, "vault_credentials"),
        ({"mysql_root_password": 'Pass_w0rd"'}, "must hold no blank"),
        ({"mysql_user_password": "Pässw0rd_1"}, "ASCII"),
        ({"vault_credentials": "<é/>"}, "ASCII"),
        ({"installer": {}}, "exactly one"),
    ],
)
def test_an_input_that_is_missing_or_unfit_is_named_without_its_value(kit, fit, want, word):
    missing = kit.planned(profile(**want), fit()).missing
    assert len(missing) == 1
    assert word in missing[0].message
    assert not any(value in str(missing[0].as_dict()) for value in want.values() if isinstance(value, str) and value)


def forget(_priors):
    """Keep nothing: a server has nothing that is put back."""


def test_a_server_that_restarts_under_its_setup_is_waited_for(kit, clock, fit, installed):
    lost, ok = ConnectionLostError("reset by peer"), kit.answer("@@ sha256\n" + "ab" * 32)
    begin, after = (kit.answer(host.stdout()) for host in (fit(), installed()))
    send = kit.recorder(begin, ok, lost, lost, lost, after, ok)
    result = prepare(profile(), send, clock, keep=forget)
    assert result["facts"]["installed"] is True
    assert send.names[2:] == ["run Unified Setup", "probe", "probe", "probe", "clean up"]


def test_files_with_secrets_are_cleaned_up_after_a_failure_and_no_secret_is_told(kit, clock, fit):
    key = "<RSVaultAsrCreds>\n  <ManagementCert>MIIJHwIBAzCCCNUGCSqGSIb3</ManagementCert>\n</RSVaultAsrCreds>"
    said = "error: rejected R00t_pass!\nerror: rejected Us3r_pass!\nerror: bad " + key.splitlines()[1].strip()
    ok, failed = kit.answer("@@ sha256\n" + "ab" * 32), kit.answer(f"@@ install\n{said}\n@@rc 1\n")
    send = kit.recorder(kit.answer(fit().stdout()), ok, failed, kit.answer(said), ok)
    with pytest.raises(SetupError) as refused:
        prepare(profile(vault_credentials=key), send, clock, keep=forget)
    assert send.names[-3:] == ["run Unified Setup", "read the logs", "clean up"]
    told = str(refused.value.as_dict()) + str(refused.value)
    assert "********" in told
    assert not any(secret in told for secret in ("R00t_pass!", "Us3r_pass!", "MIIJHwIB"))


def test_inputs_that_are_missing_stop_before_anything_is_sent(kit, clock, fit):
    send = kit.recorder(kit.answer(fit().stdout()))
    with pytest.raises(InputError, match="vault_credentials"):
        prepare(profile(vault_credentials=""), send, clock, keep=forget)
    assert send.names == ["probe"]
