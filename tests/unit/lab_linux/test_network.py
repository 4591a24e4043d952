"""Who reaches whom in the simulated network."""

import pytest

from asr_lab.lab_network import Network


class Ec2:
    """Two machines and one open port."""

    def powered_on(self, address):
        return address in ("10.20.1.11", "10.20.0.10")

    def permits(self, source, target, port):
        return port in (443, 9443)


@pytest.fixture
def network():
    return Network(Ec2(), listens=lambda address, port: port == 9443)


def test_power_security_group_and_a_listening_server_are_needed(network):
    assert network.connects("10.20.1.11", "10.20.0.10", 9443)
    assert not network.connects("10.20.1.11", "10.20.0.20", 9443)
    assert not network.connects("10.20.1.11", "10.20.0.10", 22)
    assert not network.connects("10.20.1.11", "10.20.0.10", 443)


@pytest.mark.parametrize(
    "way", [["10.20.1.11", "10.20.0.10", 9443], ["*", "10.20.0.10", "*"], ["10.20.1.*", "*", 9443]]
)
def test_a_blocked_way_is_closed_until_it_is_unblocked(network, way):
    network.block([way])
    assert not network.connects("10.20.1.11", "10.20.0.10", 9443)
    network.block([])
    assert network.connects("10.20.1.11", "10.20.0.10", 9443)


def test_a_block_of_another_machine_does_not_matter(network):
    network.block([["10.20.1.12", "10.20.0.10", 9443]])
    assert network.connects("10.20.1.11", "10.20.0.10", 9443)


def test_a_way_with_missing_parts_is_refused(network):
    with pytest.raises(ValueError, match="source, target, port"):
        network.block([["10.20.1.11", 9443]])
