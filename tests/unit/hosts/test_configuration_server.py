"""The configuration server: prerequisites, installation, and what its logs tell."""

import pytest

from asr_migrate.domain.machine import Os
from asr_migrate.hosts import profiles
from asr_migrate.hosts.configuration_server import SERVICES

SECRETS = {
    "mysql_root_password": "Root-1!",
    "mysql_user_password": "User-1!",
    "vault_credentials": "<RSVaultAsrCreds/>",
}
WINDOWS_2016 = {"ProductName": "Windows Server 2016 Datacenter", "CurrentBuild": "14393", "InstallationType": "Server"}


def profile(**want):
    return profiles.make("configuration_server", Os.WINDOWS, "cs-1", SECRETS | want)


@pytest.fixture
def fit(kit):
    def make(**broken):
        whole = {
            "os": WINDOWS_2016,
            "installed": ("w32time",),
            "free_bytes": {"c:": 60 * 2**30, "d:": 700 * 2**30},
            "reached": {"127.0.0.1 443": "closed"},
        }
        return kit.windows(**(whole | broken))

    return make


@pytest.fixture
def installed(fit):
    def make(**broken):
        states = {"w32time": 4} | dict.fromkeys(SERVICES, 4)
        return fit(**({"states": states, "registered": True, "passphrase": "the-passphrase"} | broken))

    return make


def test_a_fit_server_gets_unified_setup(kit, fit):
    plan = kit.planned(profile(address="10.20.0.10"), fit())
    assert plan.findings == ()
    assert plan.missing == ()
    assert [exchange.name for exchange in plan.exchanges] == [
        "download https://aka.ms/unifiedsetup",
        "write the MySQL credentials",
        "write the vault credentials",
        "run Unified Setup",
    ]
    sent = kit.decoded(plan.exchanges[-1])
    assert "UNIFIEDSETUP.EXE' '/AcceptThirdpartyEULA' '/servermode' 'CS' '/InstallLocation' 'D:\\'" in sent
    assert "'/EnvType' 'NonVMWare' '/PSIP' '10.20.0.10' '/CSIP' '10.20.0.10'" in sent
    assert "/SkipSpaceCheck" not in sent
    assert "'/SkipSpaceCheck'" in kit.decoded(kit.planned(profile(skip_space_check=True), fit()).exchanges[-1])


def test_no_secret_stands_in_a_command_line(kit, fit):
    plan = kit.planned(profile(), fit())
    texts = "".join(kit.decoded(exchange) for exchange in plan.exchanges)
    assert not any(secret in texts for secret in SECRETS.values())
    assert plan.exchanges[1].stdin == (
        b'[MySQLCredentials]\nMySQLRootPassword = "Root-1!"\nMySQLUserPassword = "User-1!"\n'
    )
    assert plan.exchanges[2].stdin == b"<RSVaultAsrCreds/>\n"


def test_the_files_with_secrets_are_deleted_by_setup_s_own_text_and_by_the_cleaning(kit, fit):
    plan = kit.planned(profile(), fit())
    for exchange in (plan.exchanges[-1], plan.cleanup):
        last = kit.decoded(exchange).splitlines()[-1]
        assert last.startswith("cmd /c 'del /f /q ")
        assert "MySQLCredentials.txt" in last
        assert "Vault.VaultCredentials" in last


@pytest.mark.parametrize(
    ("broken", "rule", "severity"),
    [
        ({"os": WINDOWS_2016 | {"ProductName": "Windows Server 2022 Standard"}}, "configuration-server.os", "blocker"),
        ({"os": WINDOWS_2016 | {"InstallationType": "Server Core"}}, "server.desktop", "blocker"),
        ({"tls_server": {"Enabled": 0}}, "configuration-server.tls-1.0", "blocker"),
        ({"tls_client": {"DisabledByDefault": 1}}, "configuration-server.tls-1.0", "blocker"),
        ({"language": "0407"}, "server.language", "blocker"),
        ({"installed": ("w3svc",)}, "server.role", "blocker"),
        ({"installed": ("ntds",)}, "server.role", "blocker"),
        ({"installed": ("vmms",)}, "server.role", "blocker"),
        ({"restrictions": {"DisableRegistryTools": 1}}, "server.group-policy", "blocker"),
        ({"restrictions": {"DisableCMD": 2}}, "server.group-policy", "blocker"),
        ({"restrictions": {"UseTrustedHandlers": 3}}, "server.group-policy", "blocker"),
        ({"restrictions": {"ExecutionPolicy": "AllSigned"}}, "server.group-policy", "blocker"),
        ({"restrictions": {"EnableScripts": 0}}, "server.group-policy", "blocker"),
        ({"fips": 1}, "server.fips", "blocker"),
        ({"reached": {"127.0.0.1 443": "open"}}, "server.port-443", "blocker"),
        ({"sids": ("S-1-5-32-544",)}, "server.elevated", "blocker"),
        ({"sids": ()}, "server.elevated", "blocker"),
        ({"states": {"w32time": 1}}, "windows.time-service", "blocker"),
        ({"free_bytes": {"c:": 2**40}}, "server.disk", "blocker"),
        ({"free_bytes": {"d:": 4 * 2**30}}, "server.disk", "blocker"),
        ({"free_bytes": {"d:": 400 * 2**30}}, "server.cache", "warning"),
        ({"environment": {"NUMBER_OF_PROCESSORS": "4"}}, "server.cores", "warning"),
        ({"reboot_codes": (1, 0)}, "server.reboot-pending", "warning"),
    ],
)
def test_each_prerequisite_is_found_when_it_is_broken_and_only_then(kit, fit, broken, rule, severity):
    plan = kit.planned(profile(), fit(**broken))
    assert kit.rules(plan)[rule] == severity
    assert all(finding.remedy for finding in plan.findings)
    assert rule not in kit.rules(kit.planned(profile(), fit()))


def test_memory_is_judged_by_what_the_caller_knows(kit, fit):
    assert kit.rules(kit.planned(profile(memory_mib=8192), fit())) == {"server.memory": "warning"}
    assert kit.rules(kit.planned(profile(memory_mib=32768), fit())) == {}


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
    wanted = profiles.make("configuration_server", Os.WINDOWS, "cs-1", {})
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
    assert plan.exchanges[-1].name == "run Unified Setup"


@pytest.mark.parametrize(
    ("want", "word"),
    [
        ({"vault_credentials": ""}, "vault_credentials"),
        ({"mysql_root_password": 'a"b'}, "double quote"),
        ({"mysql_user_password": "pässword"}, "ASCII"),
        ({"installer": {}}, "exactly one"),
    ],
)
def test_an_input_that_is_missing_or_unfit_is_named_without_its_value(kit, fit, want, word):
    missing = kit.planned(profile(**want), fit()).missing
    assert len(missing) == 1
    assert word in missing[0].message
    assert not any(value in str(missing[0].as_dict()) for value in want.values() if isinstance(value, str) and value)


@pytest.mark.parametrize(
    ("log", "cause"),
    [
        ("ERROR ACS50008: token is not within its valid time range", "clock"),
        ("Failed to load Accounts", "TLS 1.0"),
        ("Failed to create certificate", "elevated"),
        ("The vault registration key has expired", "older than five days"),
        ("InvalidChannelIntegrityKeyToken", "did not accept the registration key"),
        ("MySQL could not be downloaded", "MySQL could not be downloaded"),
        ("post request: (7) could not connect", "does not reach Azure"),
        ("not enough free space", "too small"),
        ("something new", "no known reason"),
    ],
)
def test_setup_s_logs_tell_cause_and_remedy(kit, fit, log, cause):
    setup = kit.planned(profile(), fit()).exchanges[-1]
    error = setup.explain(setup.judge(kit.answer("@@ extract\n@@rc 0\n@@ install\n@@rc 1\n")), log)
    assert cause in error.cause
    assert error.remedy
    assert "install failed with exit code 1" in error.message


def test_of_two_attempts_in_a_log_the_last_one_counts(kit, fit):
    setup = kit.planned(profile(), fit()).exchanges[-1]
    failed = setup.judge(kit.answer("@@ install\n@@rc 1\n"))
    assert "five days" in setup.explain(failed, "error ACS50008\nlater: the key has expired").cause
    assert "clock" in setup.explain(failed, "the key has expired\nlater: error ACS50008").cause
