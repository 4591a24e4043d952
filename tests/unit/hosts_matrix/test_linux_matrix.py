"""Every supported Linux distribution x every precheck, broken one at a time on a simulated host; and each put back.

What is sent are the product's scripts, what answers is a shell in a host of its own, and what judges is the product.
The work is done side by side, one host a distribution, before the first test looks at what came of it.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from asr_lab.hosts.linux.flavour import flavours
from asr_lab.hosts.linux.sandbox import NamespacesRefused
from asr_migrate.hosts.linux_rules import NOT_ROOT, RULES
from asr_migrate.hosts.prior import Prior

from .linux_breaks import BREAKS, PUSH, Break, broken
from .linux_hosts import FLAVOURS, Seat, mortal_shells, picture


def of_image(key: str) -> dict[str, str]:
    """Return the findings that an unbroken host has.

    RHEL 6 and its likes are simulated without a Python, the matrix names no kernel of release 9.4, and Ubuntu 24.04 has
    another DHCP client than the installer asks for.
    """
    kernel = flavours()[key].kernel
    found = {
        "linux.python": ".el6" in kernel,
        "linux.kernel": kernel.startswith("5.14.0-427."),
        "linux.dhcp-client": key == "ubuntu-24.04",
    }
    return {rule: "warning" for rule, has in found.items() if has}


UNBROKEN = {key: of_image(key) for key in FLAVOURS}
#: With and without systemd, SELinux and includes in sshd's settings.
KILLED = ("rhel-6.7-hvm", "rhel-9.4", "ubuntu-22.04")


@dataclass(frozen=True)
class Work:
    """Something to see or to do on the host of a distribution; it asserts what should come of it."""

    key: str
    name: str
    run: Callable[[Seat], None]
    rule: str = ""

    @property
    def id(self) -> str:
        """Return the name of the test."""
        return f"{self.key}-{self.name}"


Errors = dict[str, Exception | None]


@pytest.fixture(scope="module")
def chosen(request: pytest.FixtureRequest) -> list[Work]:
    """What the chosen tests look at."""
    callspecs = [getattr(item, "callspec", None) for item in request.session.items if item.path == Path(__file__)]
    return [spec.params["work"] for spec in callspecs if spec and "work" in spec.params]


@pytest.fixture(scope="module")
def seats(chosen: list[Work], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Seat]]:
    """One running host of each distribution that is looked at."""
    directory = tmp_path_factory.mktemp("hosts")
    made = {key: Seat(key, directory) for key in dict.fromkeys(work.key for work in chosen)}
    try:
        for seat in made.values():
            seat.host.begin()
        for seat in made.values():
            seat.boot()
        yield made
    except NamespacesRefused as refused:
        pytest.skip(str(refused))
    finally:
        for seat in made.values():
            seat.host.stop()


@pytest.fixture(scope="module")
def errors(chosen: list[Work], seats: dict[str, Seat]) -> Errors:
    """What was wrong with each work, by its id; None where all was as it should be."""
    with ThreadPoolExecutor(os.cpu_count()) as together:
        done = together.map(
            lambda seat: _one_after_another(seat, [work for work in chosen if work.key == seat.key]), seats.values()
        )
        return {name: error for found in done for name, error in found.items()}


def _one_after_another(seat: Seat, chosen: list[Work]) -> Errors:
    found: Errors = {}
    for work in chosen:
        try:
            work.run(seat)
        except Exception as error:
            found[work.id] = error
        else:
            found[work.id] = None
    return found


def works(name: str, keys: tuple[str, ...], run: Callable[[Seat], None], rule: str = "") -> list[Any]:
    """Return the parameters of a test: the same work on several distributions."""
    made = [Work(key, name, run, rule) for key in keys]
    return [pytest.param(work, id=work.id) for work in made]


def judge(work: Work, errors: Errors) -> None:
    """Fail with what was wrong."""
    if error := errors[work.id]:
        raise error


def breaking(case: Break) -> list[Any]:
    """Return the parameters for one way to break a host, on all distributions where that can be."""

    def run(seat: Seat) -> None:
        expected = {} if case.rule == NOT_ROOT.id else UNBROKEN[seat.key]
        with broken(seat, case):
            assert seat.findings(case.want, case.user) == {**expected, case.rule: case.severity}

    return works(case.id, tuple(key for key in FLAVOURS if case.applies(flavours()[key])), run, case.rule)


@pytest.mark.parametrize("work", [param for case in BREAKS for param in breaking(case)])
def test_what_is_broken_is_found_and_nothing_else(work: Work, errors: Errors, cell: Callable[[str, str], None]) -> None:
    cell(work.rule, work.key)
    judge(work, errors)


def unbroken(seat: Seat) -> None:
    for want in ({}, PUSH):
        assert seat.findings(want) == UNBROKEN[seat.key]


@pytest.mark.parametrize("work", works("unbroken", FLAVOURS, unbroken))
def test_nothing_stands_in_the_way_of_an_unbroken_host(work: Work, errors: Errors) -> None:
    judge(work, errors)


def test_every_rule_of_the_product_is_broken_by_something() -> None:
    assert {rule.id for rule in (*RULES, NOT_ROOT)} <= {case.rule for case in BREAKS}


def prepared_and_restored(seat: Seat) -> None:
    before = picture(seat.host)
    plan = seat.plan(PUSH)
    for exchange in plan.exchanges:
        seat.send(exchange)
    assert picture(seat.host) != before
    assert seat.host.sshd_setting("permitrootlogin") == "yes"
    assert seat.plan(PUSH).changes == ()

    restore(seat, plan.prior)
    assert picture(seat.host) == before


@pytest.mark.parametrize("work", works("restored", FLAVOURS, prepared_and_restored))
def test_a_prepared_host_is_put_back_byte_for_byte(work: Work, errors: Errors) -> None:
    judge(work, errors)


def killed(moment: str) -> Callable[[Seat], None]:
    """Kill the preparation ``before`` or ``after`` each file that it puts in place."""

    def run(seat: Seat) -> None:
        before = picture(seat.host)
        plan = seat.plan(PUSH)
        kills, done = 0, False
        while not done:
            with mortal_shells(seat.host, kills + 1, moment):
                done = all(seat.ended(exchange) for exchange in plan.exchanges)
            kills += not done
            assert kills <= 20, "the preparation never ends"
            restore(seat, plan.prior)
            assert picture(seat.host) == before
        assert kills >= 4, "sshd's settings, /etc/hosts, root's password and cloud-init's settings are files"

    return run


@pytest.mark.parametrize("work", [w for m in ("before", "after") for w in works(f"killed {m}", KILLED, killed(m))])
def test_a_host_whose_preparation_was_killed_at_any_file_is_put_back(work: Work, errors: Errors) -> None:
    judge(work, errors)


def pushed_to(seat: Seat) -> None:
    assert seat.host.push_mobility("linux-root", "10.20.0.20") is not None
    for exchange in seat.plan(PUSH).exchanges:
        seat.send(exchange)
    assert seat.host.push_mobility("linux-root", "10.20.0.20") is None
    assert seat.plan(PUSH).blockers == ()


@pytest.mark.parametrize("work", works("pushed", FLAVOURS, pushed_to))
def test_the_appliance_pushes_the_mobility_service_to_a_prepared_host_and_to_no_other(
    work: Work, errors: Errors
) -> None:
    judge(work, errors)


def restore(seat: Seat, priors: tuple[Prior, ...]) -> None:
    """Put the host back, and see that nothing is left to put back then."""
    source = seat.source({})
    for _ in range(2):
        back = source.restoration(source.read(seat.send(source.inspect(priors))), priors)
        assert (back.findings, back.prior) == ((), ())
        for exchange in back.exchanges:
            seat.send(exchange)
    assert (back.changes, back.exchanges) == ((), ())
