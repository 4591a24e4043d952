"""Names of the internet, as a lab host reaches them."""

import pytest

from asr_lab.lab_network import Network


class Ec2:
    def powered_on(self, address: str) -> bool:
        return False

    def permits(self, source: str, target: str, port: int) -> bool:
        return False


@pytest.fixture
def network() -> Network:
    return Network(Ec2(), listens=lambda address, port: False)


@pytest.mark.parametrize(
    ("name", "port", "reached"),
    [
        ("login.microsoftonline.com", 443, True),
        ("login.microsoftonline.com", 80, True),
        ("login.microsoftonline.com", 9443, False),
        ("downloads.lab.invalid", 443, False),
        ("40.126.31.1", 443, False),
    ],
)
def test_names_answer_on_the_ports_of_the_web(network, name, port, reached):
    assert network.connects("10.20.0.10", name, port) is reached


def test_a_name_can_be_blocked_by_a_pattern(network):
    network.block([["10.20.0.10", "*.blob.core.windows.net", "*"]])
    assert not network.connects("10.20.0.10", "a.blob.core.windows.net", 443)
    assert network.connects("10.20.0.20", "a.blob.core.windows.net", 443)
