"""Preparing a host: how many round trips, what happens on failure, and that no secret gets out."""

import pytest

from asr_migrate.domain.errors import InputError, SetupError
from asr_migrate.domain.machine import Os
from asr_migrate.hosts import profiles
from asr_migrate.hosts.configuration_server import SERVICES
from asr_migrate.hosts.prepare import ConnectionLostError, HostNotReadyError, prepare

CS_SECRETS = {
    "mysql_root_password": "Root-secret-1",
    "mysql_user_password": "User-secret-1",
    "vault_credentials": "<RSVaultAsrCreds>\n  <ManagementCert>MIIJHwIBAzCCCNUGCSqGSIb3</ManagementCert>\n</RSVault>",
}


def source(**want):
    return profiles.make("source", Os.WINDOWS, "app-1", want)


@pytest.fixture
def ready(kit):
    return kit.answer(kit.windows(policies={"LocalAccountTokenFilterPolicy": 1}).stdout())


@pytest.fixture
def fresh(kit):
    return kit.answer(kit.windows().stdout())


@pytest.fixture
def server(kit):
    def make(**changed):
        whole = {
            "os": {"ProductName": "Windows Server 2016 Standard"},
            "installed": (),
            "free_bytes": {"d:": 700 * 2**30},
            "reached": {"127.0.0.1 443": "closed"},
        }
        return kit.answer(kit.windows(**(whole | changed)).stdout())

    return make


def test_a_host_that_is_ready_costs_one_round_trip(kit, clock, ready):
    send = kit.recorder(ready)
    result = prepare(source(push=True), send, clock)
    assert send.names == ["probe"]
    assert result["changed"] is False
    assert result["diff"] == {"before": "", "after": ""}


def test_a_host_that_is_changed_costs_three_round_trips(kit, clock, fresh, ready):
    send = kit.recorder(fresh, kit.answer("@@ change LocalAccountTokenFilterPolicy\n@@rc 0\n"), ready)
    result = prepare(source(push=True), send, clock)
    assert send.names == ["probe", "change", "probe"]
    assert result["changed"] is True
    assert result["changes"] == [{"what": "LocalAccountTokenFilterPolicy", "from": None, "to": "1"}]
    assert result["facts"]["token_filter_policy"] == 1
    assert result["diff"]["after"] == "LocalAccountTokenFilterPolicy: 1\n"


def test_check_mode_only_probes_and_tells_what_would_change(kit, clock, fresh):
    send = kit.recorder(fresh)
    result = prepare(source(push=True), send, clock, change=False)
    assert send.names == ["probe"]
    assert result["changed"] is True
    assert result["facts"]["token_filter_policy"] is None


def test_every_blocker_is_told_at_once_and_nothing_is_changed(kit, clock):
    host = kit.windows(sids=(), reached={"a 443": "closed", "a 9443": "closed"})
    send = kit.recorder(kit.answer(host.stdout()))
    with pytest.raises(HostNotReadyError) as refused:
        prepare(source(push=True, reach=[["a", 443], ["a", 9443]]), send, clock)
    assert send.names == ["probe"]
    assert [finding["rule"] for finding in refused.value.findings] == [
        "host.reach",
        "host.reach",
        "windows.administrator",
    ]
    assert "a:443" in refused.value.message
    assert "a:9443" in refused.value.message


def test_blockers_are_only_returned_when_the_caller_asks_so_and_still_nothing_is_changed(kit, clock):
    send = kit.recorder(kit.answer(kit.windows(sids=()).stdout()))
    result = prepare(source(push=True), send, clock, refuse=False)
    assert send.names == ["probe"]
    assert result["findings"][0]["rule"] == "windows.administrator"


def test_a_value_that_does_not_last_is_an_error_after_patience(kit, clock, fresh):
    send = kit.recorder(fresh)
    with pytest.raises(SetupError, match="LocalAccountTokenFilterPolicy is missing, not 1"):
        prepare(source(push=True), send, clock)
    assert clock.monotonic() >= 600


def test_a_server_that_restarts_under_its_setup_is_waited_for(kit, clock, server):
    states = {"w32time": 4} | dict.fromkeys(SERVICES, 4)
    after = server(states=states, registered=True)
    lost = ConnectionLostError("reset by peer")
    ok = kit.answer("@@ sha256\n" + "ab" * 32)
    send = kit.recorder(server(), ok, ok, ok, lost, ok, lost, lost, after)
    result = prepare(profiles.make("configuration_server", Os.WINDOWS, "cs-1", CS_SECRETS), send, clock)
    assert result["facts"]["installed"] is True
    assert send.names[4:] == ["run Unified Setup", "clean up", "probe", "probe", "probe"]


def test_a_connection_that_breaks_elsewhere_is_the_caller_s_business(kit, clock, fresh):
    send = kit.recorder(fresh, ConnectionLostError("no route"))
    with pytest.raises(ConnectionLostError):
        prepare(source(push=True), send, clock)


def test_files_with_secrets_are_cleaned_up_after_a_failure_and_no_secret_is_told(kit, clock, server):
    said = "".join(f"error: rejected {line}\n" for line in [*CS_SECRETS.values()][:2])
    said += f"error: bad {CS_SECRETS['vault_credentials'].splitlines()[1].strip()}"
    ok = kit.answer("@@ sha256\n" + "ab" * 32)
    failed = kit.answer(f"@@ install\n{said}\n@@rc 1\n")
    send = kit.recorder(server(), ok, ok, ok, failed, kit.answer(said), ok)
    with pytest.raises(SetupError) as refused:
        prepare(profiles.make("configuration_server", Os.WINDOWS, "cs-1", CS_SECRETS), send, clock)
    assert send.names[-3:] == ["run Unified Setup", "read the logs", "clean up"]
    told = str(refused.value.as_dict()) + str(refused.value)
    assert "********" in told
    assert "secret-1" not in told
    assert "MIIJHwIB" not in told


def test_inputs_that_are_missing_stop_before_anything_is_sent_but_not_in_check_mode(kit, clock, server):
    wanted = profiles.make("configuration_server", Os.WINDOWS, "cs-1", {})
    send = kit.recorder(server())
    with pytest.raises(InputError, match="mysql_root_password"):
        prepare(wanted, send, clock)
    assert send.names == ["probe"]
    assert prepare(wanted, send, clock, change=False)["changed"] is True
