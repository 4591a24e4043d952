"""What a firewall between a source and its server does to replication."""


def block(ready, port):
    source, server = ("10.20.1.21", "10.20.0.20") if ready.rcm else ("10.20.1.12", "10.20.0.10")
    ready.lab.hosts.blocked.add((source, server, port))


def test_initial_replication_does_not_advance_without_the_data_port(ready):
    block(ready, 9443)
    ready.lab.do("PUT", ready.item, ready.enable_body())
    ready.lab.advance(4 * 3600)
    seen = ready.properties()
    assert seen["protectionState"] == "InitialReplicationInProgress"
    assert seen["replicationHealth"] == "Critical"
    assert [error["errorCode"] for error in seen["healthErrors"]] == ["78186"]
    if ready.rcm:
        assert seen["providerSpecificDetails"]["initialReplicationProgressHealth"] == "NoProgress"


def test_replication_goes_on_when_the_port_opens(ready):
    block(ready, 9443)
    ready.lab.do("PUT", ready.item, ready.enable_body())
    ready.lab.advance(3600)
    ready.lab.hosts.blocked.clear()
    ready.lab.until(ready.item, "Protected")
    assert ready.properties()["healthErrors"] == []


def test_no_recovery_points_come_while_a_protected_machine_is_cut_off(ready):
    ready.protect()
    before = ready.lab.get(f"{ready.item}/recoveryPoints")["value"]
    block(ready, 9443)
    ready.lab.advance(2 * 3600)
    assert len(ready.lab.get(f"{ready.item}/recoveryPoints")["value"]) == len(before)
    codes = {error["errorCode"] for error in ready.properties()["healthErrors"]}
    assert codes >= {"78186", "325091" if ready.rcm else "78143"}
    assert ready.properties()["protectionState"] == "Protected"


def test_the_heartbeat_grows_old_without_the_control_port(modern):
    modern.protect()
    block(modern, 443)
    before = modern.properties()["providerSpecificDetails"]["mobilityAgentDetails"]["lastHeartbeatUtc"]
    modern.lab.advance(3600)
    assert modern.properties()["providerSpecificDetails"]["mobilityAgentDetails"]["lastHeartbeatUtc"] == before


def test_a_planted_effect_holds_replication_up(ready):
    ready.lab.world.faults.add({"match": {"name": "*"}, "effect": "stuck_replication"})
    ready.lab.do("PUT", ready.item, ready.enable_body())
    ready.lab.advance(4 * 3600)
    assert ready.properties()["protectionState"] == "InitialReplicationInProgress"
