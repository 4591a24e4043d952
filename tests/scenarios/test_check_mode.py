"""Check mode on a fresh lab: everything that would be sent is listed, nothing is sent."""


def test_check_mode_lists_every_write_and_sends_none(lab):
    lab.forget_log()
    ran = lab.playbook("migrate", "--check")
    assert ran.code == 0, ran.output
    assert lab.writes() == []
    expected = [
        "PUT vaults/vault-legacy",
        "PUT vaults/vault-current",
        "PUT replicationPolicies/ec2-to-azure",
        "PUT replicationProtectedItems/app-2012",
        "PUT replicationProtectedItems/web-2022",
        "POST replicationProtectedItems/app-2012/testFailover",
        "POST replicationProtectedItems/app-2012/testFailoverCleanup",
        "POST replicationProtectedItems/web-2022/unplannedFailover",
        "POST replicationProtectedItems/web-2022/failoverCommit",
        "POST replicationProtectedItems/web-2022/remove",
    ]
    assert [line for line in expected if line not in ran.output] == []
