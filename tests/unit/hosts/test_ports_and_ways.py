"""The table of ports, and the matrix of ways that is judged by it."""

import pytest

from asr_migrate.hosts.ports import between, table
from asr_migrate.hosts.ways import judge, of_machines, targets
from asr_migrate.hosts.ways import table as matrix

APPLIANCE = {"name": "ra-1", "address": "10.20.0.20"}
MACHINES = [
    {"name": "web", "addresses": ["10.20.1.21"], "os": "windows", "group": "shop"},
    {"name": "db", "addresses": ["10.20.1.22", "10.20.2.22"], "os": "linux", "group": "shop"},
]


def listed(push=True, architecture="modernized"):
    return of_machines(MACHINES, APPLIANCE, architecture=architecture, push=push)


def judged(reached, lacks=lambda way: []):
    return {(f.way.origin.name, f.way.target.name, f.way.port.text): f for f in judge(listed(), reached, lacks)}


@pytest.mark.parametrize(
    ("origin", "target", "more", "ports"),
    [
        ("source", "appliance", {}, "443 9443"),
        ("appliance", "source", {"os": "windows", "push": True}, "135 139 445 49152-65535"),
        ("appliance", "source", {"os": "linux", "push": True}, "22"),
        ("appliance", "source", {"os": "linux", "push": False}, ""),
        ("source", "source", {"group": True}, "20004"),
        ("source", "source", {}, ""),
        ("appliance", "internet", {}, "443"),
    ],
)
def test_the_table_has_the_documented_ports(origin, target, more, ports):
    assert " ".join(port.text for port in between(origin, target, architecture="classic", **more)) == ports


def test_the_configuration_page_is_another_for_each_architecture():
    def pages(kind):
        return {port.text for port in between("admin", "appliance", architecture=kind)} - {"3389", "5986"}

    assert (pages("classic"), pages("modernized")) == ({"44315"}, {"44368"})


def test_every_row_says_why_and_what_lets_it_through():
    assert all(port.why and port.firewall for port in table())


def test_a_host_tries_single_ports_only():
    assert targets(listed(), "web") == [["10.20.0.20", 443], ["10.20.0.20", 9443], ["10.20.1.22", 20004]]
    assert targets(listed(), "ra-1") == [
        ["10.20.1.21", 135],
        ["10.20.1.21", 139],
        ["10.20.1.21", 445],
        ["10.20.1.22", 22],
    ]
    assert targets(listed(push=False), "ra-1") == []


def test_a_way_that_was_reached_is_open_and_one_that_was_not_tried_says_so():
    found = judged({"web": {"10.20.0.20:443": True, "10.20.0.20:9443": False}})
    assert found["web", "ra-1", "443"].state == "open"
    assert found["web", "ra-1", "443"].missing == ()
    assert found["web", "ra-1", "9443"].state == "closed"
    assert found["db", "ra-1", "443"].state == "not tried"


def test_a_closed_way_names_the_rule_that_ec2_lacks_or_else_the_firewall():
    lacks = {"web": ["security group appliance (sg-1) lacks inbound TCP 9443 from sg-2"], "db": []}
    reached = {"web": {"10.20.0.20:9443": False}, "ra-1": {"10.20.1.22:22": False}}
    found = judged(reached, lambda way: lacks.get(way.machine.name))
    assert found["web", "ra-1", "9443"].missing == tuple(lacks["web"])
    assert "EC2 lets it through" in found["ra-1", "db", "22"].missing[0]
    assert "firewall of db" in found["ra-1", "db", "22"].missing[0]


def test_a_range_is_judged_by_ec2_alone():
    found = judged({}, lambda way: None)["ra-1", "web", "49152-65535"]
    assert found.state == "not tried"
    assert "a range cannot be tried; the security groups could not be read" in found.missing[0]


def test_the_matrix_has_a_row_for_each_machine_and_a_column_for_each_port():
    everything = {way.origin.name: {} for way in listed()}
    for way in listed():
        everything[way.origin.name][f"{way.target.address}:{way.port.first}"] = way.port.first != 445
    rows = matrix(judge(listed(), everything, lambda way: []))
    assert [" ".join(row.split()) for row in rows] == [
        "machine to 443 to 9443 from 22 from 135 from 139 from 445 from 49152-65535 with 20004",
        "web open open . open open closed not tried open",
        "db open open open . . . . open",
    ]
