"""The checks that every kind of host shares."""

from datetime import timedelta

import pytest

from asr_migrate.hosts.checks import clock_findings, clock_skew_s, reach_findings
from asr_migrate.hosts.want import TimeLimits


def severities(findings):
    return [(finding.rule, str(finding.severity)) for finding in findings]


def test_a_slow_answer_is_no_skew(kit):
    received = kit.sent + timedelta(seconds=40)
    assert clock_skew_s(kit.sent + timedelta(seconds=39), kit.sent, received) == 0.0


def test_skew_is_counted_from_the_nearer_end_of_the_round_trip(kit):
    received = kit.sent + timedelta(seconds=2)
    assert clock_skew_s(received + timedelta(seconds=960), kit.sent, received) == 960.0
    assert clock_skew_s(kit.sent - timedelta(seconds=10), kit.sent, received) == -10.0


def test_a_clock_that_prints_whole_seconds_may_be_a_second_behind(kit):
    late = kit.sent + timedelta(seconds=0.9)
    assert clock_skew_s(kit.sent, late, late, resolution_s=1.0) == 0.0


@pytest.mark.parametrize(
    ("skew_s", "found"),
    [
        (0.0, []),
        (300.0, []),
        (-301.0, [("host.clock", "warning")]),
        (900.0, [("host.clock", "warning")]),
        (960.0, [("host.clock", "blocker")]),
        (-960.0, [("host.clock", "blocker")]),
        (None, [("host.clock-known", "warning")]),
    ],
)
def test_a_clock_is_warned_of_after_five_minutes_and_refused_after_fifteen(skew_s, found):
    assert severities(clock_findings("app-1", skew_s, TimeLimits(), "Set it.")) == found


def test_the_finding_about_a_clock_says_how_much_and_which_way():
    finding = clock_findings("app-1", -960.0, TimeLimits(), "Set it.")[0]
    assert "app-1 is 16 minutes (960 s) behind" in finding.text
    assert "ACS50008" in finding.text
    assert finding.remedy == "Set it."


def test_a_blocked_port_names_the_way_and_the_security_group():
    closed, untried = reach_findings(
        "app-1", {("10.0.0.1", 443): True, ("10.0.0.1", 9443): False, ("10.0.0.2", 443): None}
    )
    assert severities([closed, untried]) == [("host.reach", "blocker"), ("host.reach", "warning")]
    assert "app-1 does not reach 10.0.0.1:9443 (replication data)" in closed.text
    assert "security group" in closed.remedy
