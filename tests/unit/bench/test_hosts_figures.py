"""The bench of hosts judges what it measured."""

from dataclasses import replace

import pytest
from tests.bench.hosts_figures import HostFigures, Measured, page
from tests.bench.hosts_runs import Run

OURS = Run(play_s=1.0, whole_s=3.0, tasks=1, changed=1, round_trips=3, claimed=3)
THEIRS = Run(play_s=6.0, whole_s=8.0, tasks=30, changed=4, round_trips=30, claimed=None)


def figures(**changes):
    """Return a host that meets every target, but for ``changes``: ours, ours_again, theirs, theirs_again, different."""
    ours_again = replace(OURS, changed=0, round_trips=1, claimed=1)
    seen = {"ours": OURS, "ours_again": ours_again, "theirs": THEIRS, "theirs_again": replace(THEIRS, changed=0)}
    seen |= changes
    return HostFigures(
        host="a host",
        note="nothing special",
        ours=Measured("ours", [seen["ours"]], [seen["ours_again"]]),
        against=Measured("theirs", [seen["theirs"]], [seen["theirs_again"]]),
        told=(),
        different=changes.get("different", ()),
    )


def missed(**changes):
    """Return what the targets that are missed are about."""
    return [verdict.what.removeprefix("a host: ") for verdict in figures(**changes).verdicts() if not verdict.held]


def test_a_host_that_meets_every_target_misses_none():
    assert missed() == []


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"theirs": replace(THEIRS, play_s=4.9)}, "preparing, faster than theirs"),
        ({"theirs_again": replace(THEIRS, play_s=4.9, changed=0)}, "nothing to change, faster than theirs"),
        ({"ours": replace(OURS, round_trips=4, claimed=4)}, "round trips when something changes"),
        (
            {"ours_again": replace(OURS, changed=0, round_trips=2, claimed=2)},
            "round trips when nothing does",
        ),
        ({"theirs_again": THEIRS}, "the second run of each way changes nothing"),
        (
            {"ours": replace(OURS, claimed=2)},
            "the result's round trips are those that the connection counted",
        ),
        ({"different": ["theirs: +etc/hosts"]}, "every way leaves the same state"),
    ],
)
def test_each_target_can_be_missed(changes, what):
    assert missed(**changes) == [what]


def test_the_page_says_which_target_was_missed():
    told = page([figures(theirs=replace(THEIRS, play_s=4.0))], "This machine", 3)
    assert "| a host: preparing, faster than theirs | 4.0 x | >= 5 x | **no** |" in told
    assert "| a host | ours | 1 | 3 | 1.00 | 3.00 | 1 | 1 | 1.00 | 3.00 |" in told
