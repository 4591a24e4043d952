"""The configuration server that is installed: upgrade, another registration, and what a failed setup tells."""

from functools import partial

import pytest

from .configuration_servers import fit_server, installed_server, profile, setup_of


@pytest.fixture
def fit(kit):
    return partial(fit_server, kit)


@pytest.fixture
def installed(kit):
    return partial(installed_server, kit)


@pytest.mark.parametrize(
    ("installed_version", "wanted", "remedy"),
    [
        ("9.55.0.0", "9.59.0.0", None),
        ("9.54.0.0", "9.59.0.0", "Upgrade to 9.58, then 9.59"),
        ("9.40.0.0", "9.59.0.0", "Upgrade to 9.44, then 9.48, then 9.52, then 9.56, then 9.59"),
        ("9.59.0.0", "9.59.0.0", ""),
        ("9.59.0.0", "9.58.0.0", ""),
    ],
)
def test_an_upgrade_passes_at_most_four_versions(kit, installed, installed_version, wanted, remedy):
    installer = {"url": "https://downloads.lab.example/setup.exe", "version": wanted}
    plan = kit.planned(profile(installer=installer), installed(version=installed_version))
    if remedy == "":
        assert plan.changes == ()
        return
    assert (plan.changes[0].before, plan.changes[0].after) == (installed_version, wanted)
    if remedy is None:
        assert plan.blockers == ()
        assert setup_of(plan)
    else:
        assert kit.rules(plan) == {"configuration-server.upgrade": "blocker"}
        assert remedy in plan.blockers[0].remedy


def test_an_upgrade_s_command_line_holds_nothing_else(kit, installed):
    installer = {"url": "https://downloads.lab.example/setup.exe", "version": "9.59.0.0"}
    old = installed(version="9.58.0.0")
    sent = kit.decoded(setup_of(kit.planned(profile(installer=installer), old)))
    assert "UNIFIEDSETUP.EXE' '/Upgrade' | Out-String" in sent
    assert kit.contents(setup_of(kit.planned(profile(installer=installer), old))) == []
    replaced = installed(version="9.58.0.0", mysql_5_5=True)
    sent = kit.decoded(setup_of(kit.planned(profile(installer=installer), replaced)))
    assert "UNIFIEDSETUP.EXE' '/Upgrade' '/AcceptThirdpartyEULA' | Out-String" in sent


def test_an_upgrade_restarts_only_when_setup_asks_for_it(kit, installed):
    installer = {"url": "https://downloads.lab.example/setup.exe", "version": "9.59.0.0"}
    sent = kit.decoded(setup_of(kit.planned(profile(installer=installer), installed(version="9.58.0.0"))))
    assert sent.splitlines()[-2:] == [
        "if ($done -eq 0) { reg delete 'HKLM\\SOFTWARE\\asr-migrate' /v 'RestartAfterSetup' /f }",
        "if ($done -eq 3010) { shutdown /r /t 5 /d p:4:2 }",
    ]


def test_the_oldest_part_of_a_server_decides_on_the_upgrade(kit, installed):
    installer = {"url": "https://downloads.lab.example/setup.exe", "version": "9.59.0.0"}
    plan = kit.planned(profile(installer=installer), installed(version="9.59.0.0", agent_version="9.58.0.0"))
    assert [change.before for change in plan.changes] == ["9.58.0.0"]
    probe = kit.decoded(profile().probe())
    assert all(f"Installed Products\\{number}'" in probe for number in (5, 9))


def test_a_new_key_registers_again_once(kit, installed):
    again = profile(register_again="same_vault")
    plan = kit.planned(again, installed(notes={"RegisteredWithKey": "of an older key"}))
    assert [change.what for change in plan.changes] == ["registration"]
    assert [exchange.name for exchange in plan.exchanges] == ["register the server"]
    sent = kit.decoded(plan.exchanges[0])
    assert "reg delete" not in sent
    assert "DRConfigurator.exe' '/r' '/friendlyname' 'app-1' '/Credentials'" in sent
    digest = sent.split("'RegisteredWithKey' /t REG_SZ /d '")[1].split("'")[0]
    assert kit.planned(again, installed(notes={"RegisteredWithKey": digest})).changes == ()
    assert kit.planned(profile(), installed(notes={"RegisteredWithKey": "of an older key"})).changes == ()


def test_a_move_to_another_vault_keeps_the_registration_until_there_is_another(kit, installed):
    plan = kit.planned(profile(register_again="other_vault"), installed())
    sent = kit.decoded(plan.exchanges[0])
    kept, taken, made = (
        sent.index(word)
        for word in (
            "reg copy 'HKLM\\SOFTWARE\\Microsoft\\Azure Site Recovery\\Registration'",
            "reg delete 'HKLM\\SOFTWARE\\Microsoft\\Azure Site Recovery\\Registration' /f",
            "DRConfigurator.exe' '/r'",
        )
    )
    assert kept < taken < made
    assert sent.index("reg copy 'HKLM\\SOFTWARE\\asr-migrate\\Registration'") > made


def test_a_registration_that_was_taken_away_is_put_back(kit, installed):
    plan = kit.planned(profile(), installed(registered=False, kept_registration=True))
    assert [change.after for change in plan.changes] == ["put back"]
    assert [exchange.name for exchange in plan.exchanges] == ["put the registration back"]


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
    setup = setup_of(kit.planned(profile(), fit()))
    error = setup.explain(setup.judge(kit.answer("@@ extract\n@@rc 0\n@@ install\n@@rc 1\n")), log)
    assert cause in error.cause
    assert error.remedy
    assert "install failed with exit code 1" in error.message


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        (2, "command line or one of its files"),
        (4, "prerequisite"),
        (101, "provider could not be installed"),
        (102, "service did not start"),
        (103, "not registered with the vault"),
        (111, "agent could not be installed"),
        (112, "container registration"),
        (113, "master target"),
        (115, "proxy of the Recovery Services agent"),
        (116, "configuration manager"),
        (201, "already"),
        (203, "cannot upgrade"),
        (9009, "not there or cannot start"),
        (1, "no known reason"),
    ],
)
def test_an_exit_code_tells_cause_and_remedy_where_the_logs_do_not(kit, fit, code, cause):
    setup = setup_of(kit.planned(profile(), fit()))
    error = setup.explain(setup.judge(kit.answer(f"@@ install\n@@rc {code}\n")), "nothing of note")
    assert cause in error.cause
    assert error.remedy
    expired = setup.explain(setup.judge(kit.answer(f"@@ install\n@@rc {code}\n")), "the key has expired")
    assert "five days" in expired.cause


@pytest.mark.parametrize("code", [0, 3010])
def test_success_may_want_a_restart(kit, fit, code):
    assert setup_of(kit.planned(profile(), fit())).judge(kit.answer(f"@@ install\n@@rc {code}\n")) is None


def test_a_text_that_did_not_run_is_no_success(kit, fit):
    refused = setup_of(kit.planned(profile(), fit())).judge(kit.answer("", "not allowed", 1))
    assert "not allowed" in refused.message


def test_of_two_attempts_in_a_log_the_last_one_counts(kit, fit):
    setup = setup_of(kit.planned(profile(), fit()))
    failed = setup.judge(kit.answer("@@ install\n@@rc 1\n"))
    assert "five days" in setup.explain(failed, "error ACS50008\nlater: the key has expired").cause
    assert "clock" in setup.explain(failed, "the key has expired\nlater: error ACS50008").cause
