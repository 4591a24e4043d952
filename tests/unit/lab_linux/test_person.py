"""The person at the modernized appliance, in virtual time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from asr_lab.arm.estate import HostDescription, ListedHosts, RegistrationRefused
from asr_lab.arm.world import World
from asr_lab.person import REGISTRATION_S, RETRY_S, Person, SiteRecovery

START = datetime(2026, 5, 4, 8, tzinfo=UTC)
VAULT = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.RecoveryServices/vaults/vault-current"
APPLIANCE = HostDescription(
    host_id="1",
    host_name="current-appliance",
    addresses=("10.20.0.20",),
    os_type="Windows",
    os_name="Windows Server 2022",
    disks=(),
    bios_id="1",
    mac="",
    firmware="BIOS",
    cores=8,
    memory_mb=32768,
    agent_version=None,
)
WINDOWS = replace(APPLIANCE, host_name="web-2022", addresses=("10.20.1.21",))
LINUX = replace(APPLIANCE, host_name="db-rhel8", addresses=("10.20.1.22",), os_type="Linux")


class Scene:
    """A world with two machines, and a record of what the person does in it."""

    def __init__(self):
        self.world = World(ListedHosts({"10.20.1.21": WINDOWS, "10.20.1.22": LINUX}))
        self.did = []
        self.off = set()
        self.refuse = 0
        self.person = Person(
            self.world,
            SiteRecovery(self.register, self.add),
            vault="vault-current",
            addresses=["10.20.1.21", "10.20.1.22"],
            powered_on=lambda address: address not in self.off,
        )

    def register(self, world, *, vault_id, host, now):
        if self.refuse:
            self.refuse -= 1
            raise RegistrationRefused("KeyInvalid", "not yet")
        self.did.append(("registered", vault_id, self.minutes(now)))

    def add(self, world, *, vault_id, address, account, credential_type, now):
        self.did.append((address, account, credential_type, self.minutes(now)))

    def minutes(self, now):
        return (now - START).total_seconds() / 60

    def make_vault(self):
        self.world.resources.put(VAULT, {"id": VAULT, "name": "vault-current"})

    def pass_time(self, seconds):
        self.world.advance(START + timedelta(seconds=seconds))


@pytest.fixture
def scene():
    made = Scene()
    made.person.appliance_installed(APPLIANCE, START)
    return made


def test_twenty_minutes_after_the_installer_the_appliance_and_its_servers_are_entered(scene):
    scene.make_vault()
    scene.pass_time(REGISTRATION_S - 1)
    assert scene.did == []
    scene.pass_time(REGISTRATION_S)
    assert scene.did == [
        ("registered", VAULT, 20),
        ("10.20.1.21", "windows-admin", "WindowsServer", 20),
        ("10.20.1.22", "linux-root", "LinuxServer", 20),
    ]


def test_without_the_vault_the_person_comes_back_every_five_minutes(scene):
    scene.pass_time(REGISTRATION_S + RETRY_S)
    assert scene.did == []
    scene.make_vault()
    scene.pass_time(REGISTRATION_S + 2 * RETRY_S)
    assert scene.did[0] == ("registered", VAULT, 30)


def test_a_refused_registration_is_tried_again(scene):
    scene.make_vault()
    scene.refuse = 1
    scene.pass_time(REGISTRATION_S + RETRY_S)
    assert scene.did[0] == ("registered", VAULT, 25)
    assert scene.person.last_refusal == "KeyInvalid: not yet"


def test_a_machine_that_is_off_is_added_once_it_runs(scene):
    scene.make_vault()
    scene.off.add("10.20.1.22")
    scene.pass_time(REGISTRATION_S + RETRY_S)
    assert [did[0] for did in scene.did] == ["registered", "10.20.1.21"]
    scene.off.clear()
    scene.pass_time(REGISTRATION_S + 2 * RETRY_S)
    assert scene.did[-1] == ("10.20.1.22", "linux-root", "LinuxServer", 30)
