"""EC2 over HTTP: moto's server in this process, with the lab's images and the instance details that moto leaves out."""

import ipaddress
import json
import logging
import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3

from asr_lab.aws import keeping
from asr_lab.aws.estate import Estate, Machine

if TYPE_CHECKING:
    from moto.server import ThreadedMotoServer

ACCOUNT = "123456789012"


@dataclass(frozen=True)
class Hardware:
    """Size of an instance: ``memory_mb`` in MiB, ``volumes_gib`` with the boot volume first; and its user data."""

    cores: int
    memory_mb: int
    volumes_gib: tuple[int, ...]
    user_data: str = ""


class Ec2:
    """The EC2 of the lab: ``start()`` opens ``http://host:port`` and seeds the estate, ``stop()`` closes it.

    ``state`` is the lab's state directory; the image table is written there because moto reads it from a file.
    """

    def __init__(self, estate: Estate, host: str, port: int, state: Path) -> None:
        self.estate = estate
        self.url = f"http://{host}:{port}"
        self._host = host
        self._port = port
        self._images = state / "images.json"
        self._server: ThreadedMotoServer | None = None
        #: what the machine at an address shows in its console; the lab's hosts fill it in
        self.console: Callable[[str], str] = lambda _address: ""

    def start(self) -> None:
        """Open the port and seed the estate. Raises OSError when the port is taken."""
        _refuse_taken_port(self._host, self._port)
        self._images.write_text(json.dumps(_image_table(self.estate)), "utf-8")
        os.environ["MOTO_AMIS_PATH"] = str(self._images)
        # moto reads the setting while it is imported, so it cannot be imported at the head of this file.
        from moto import settings
        from moto.ec2.models import amis
        from moto.server import ThreadedMotoServer

        # Whoever imported moto before had it read another table.
        amis.AMIS[:] = _image_table(self.estate)
        settings.ENABLE_AMI_VALIDATION = True
        logging.getLogger("werkzeug").setLevel(logging.WARNING)
        _describe_instances_fully(self.estate)
        _show_consoles(self)
        self._server = ThreadedMotoServer(ip_address=self._host, port=self._port, verbose=False)
        self._server.start()
        self.seed()

    def stop(self) -> None:
        """Close the port and forget every instance."""
        if self._server:
            self._backends().reset()
            self._server.stop()
            self._server = None

    def reset(self) -> None:
        """Bring EC2 back to the seeded estate."""
        self._backends().reset()
        self.seed()

    def powered_on(self, address: str) -> bool:
        """Whether an instance with this private address is running."""
        return self._instance(address) is not None

    def permits(self, source: str, target: str, port: int) -> bool:
        """Whether the security groups of the instance at ``target`` let TCP ``port`` in from ``source``."""
        instance = self._instance(target)
        if instance is None:
            return False
        groups = {group.id: group for nic in instance.nics.values() for group in nic.group_set}
        groups.update({group.id: group for group in instance.security_groups})
        peer = self._instance(source)
        peers = {group.id for nic in peer.nics.values() for group in nic.group_set} if peer else set()
        return any(_lets_in(rule, source, peers, port) for group in groups.values() for rule in group.ingress_rules)

    def hardware(self, address: str) -> Hardware | None:
        """Return what the running instance at ``address`` was launched with, or None when there is none."""
        from moto.ec2.models.instance_types import INSTANCE_TYPES

        instance = self._instance(address)
        if instance is None:
            return None
        kind = INSTANCE_TYPES[instance.instance_type]
        return Hardware(
            cores=kind["VCpuInfo"]["DefaultVCpus"],
            memory_mb=kind["MemoryInfo"]["SizeInMiB"],
            volumes_gib=tuple(int(device.size) for device in instance.block_device_mapping.values()),
            user_data=_user_data(instance),
        )

    def kept(self) -> dict[str, Any]:
        """Return what the lab's state file keeps of EC2, as plain data."""
        given = {each.id: text for each in self._backends().all_instances() if (text := _user_data(each))}
        return keeping.kept(self._client(), given)

    def take_up(self, told: Mapping[str, Any]) -> None:
        """Bring the seeded EC2 to what ``kept`` returned."""
        keeping.take_up(self._client(), self.estate, told)

    def seed(self) -> None:
        """Create the VPC, its subnets and security groups, and one instance per machine of the estate."""
        ec2 = self._client()
        vpc = ec2.create_vpc(CidrBlock=self.estate.vpc)["Vpc"]["VpcId"]
        ec2.create_tags(Resources=[vpc], Tags=[{"Key": "Name", "Value": "production"}])
        subnets = {}
        for name, cidr in self.estate.subnets.items():
            zone = f"{self.estate.region}a"
            subnets[name] = ec2.create_subnet(VpcId=vpc, CidrBlock=cidr, AvailabilityZone=zone)["Subnet"]["SubnetId"]
            ec2.create_tags(Resources=[subnets[name]], Tags=[{"Key": "Name", "Value": name}])
        groups = {}
        for name, rules in self.estate.security_groups.items():
            group = ec2.create_security_group(GroupName=name, Description=f"{name} of the migration", VpcId=vpc)
            groups[name] = group["GroupId"]
            ec2.authorize_security_group_ingress(
                GroupId=groups[name],
                IpPermissions=[
                    {
                        "IpProtocol": "tcp",
                        "FromPort": rule.first_port,
                        "ToPort": rule.last_port,
                        "IpRanges": [{"CidrIp": rule.cidr}],
                    }
                    for rule in rules
                ],
            )
        for machine in self.estate.machines:
            ec2.run_instances(**_run_request(machine, subnets["sources"], groups["sources"]))

    def _client(self) -> Any:
        return boto3.client(
            "ec2",
            region_name=self.estate.region,
            endpoint_url=self.url,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )

    def _backends(self) -> Any:
        from moto.ec2.models import ec2_backends

        return ec2_backends[ACCOUNT][self.estate.region]

    def _instance(self, address: str) -> Any | None:
        """Return moto's running instance with this private address."""
        running = (i for i in self._backends().all_instances() if i.state == "running")
        return next((i for i in running if i.private_ip == address), None)


def _refuse_taken_port(host: str, port: int) -> None:
    """Raise OSError when the port is taken; moto's own thread would only hang."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))


def _run_request(machine: Machine, subnet: str, group: str) -> dict[str, Any]:
    """Return the RunInstances parameters of one machine: fixed address, tags, a boot volume and data volumes."""
    names = ["/dev/sda1", *(f"/dev/sd{letter}" for letter in "fghij")]
    return {
        "ImageId": machine.image.ami_id,
        "MinCount": 1,
        "MaxCount": 1,
        "InstanceType": machine.instance_type.name,
        "SubnetId": subnet,
        "SecurityGroupIds": [group],
        "PrivateIpAddress": machine.address,
        "BlockDeviceMappings": [
            {"DeviceName": name, "Ebs": {"VolumeSize": size, "VolumeType": "gp3"}}
            for name, size in zip(names, machine.volumes_gib, strict=False)
        ],
        "TagSpecifications": [
            {"ResourceType": "instance", "Tags": [{"Key": k, "Value": v} for k, v in machine.tags.items()]}
        ],
    }


def _user_data(instance: Any) -> str:
    """Return the user data of moto's instance as text."""
    return str(instance.user_data.decode()) if instance.user_data else ""


def _lets_in(rule: Any, source: str, peers: set[str], port: int) -> bool:
    """Whether one ingress rule of moto lets ``port`` in from ``source``, by CIDR or by a group that ``source`` has."""
    if rule.ip_protocol not in ("tcp", "-1"):
        return False
    if rule.ip_protocol == "tcp" and not int(rule.from_port) <= port <= int(rule.to_port):
        return False
    if rule.source_group:
        return rule.source_group.get("GroupId") in peers
    return bool(rule.cidr_ipv4) and ipaddress.ip_address(source) in ipaddress.ip_network(rule.cidr_ipv4)


def _image_table(estate: Estate) -> list[dict[str, Any]]:
    """Return moto's image table (the format of its own amis.json)."""
    return [
        {
            "ami_id": image.ami_id,
            "name": image.name,
            "description": image.name,
            "owner_id": image.owner_id,
            "owner_alias": image.owner_alias,
            "platform": "windows" if image.windows else None,
            "virtualization_type": image.virtualization_type,
            "boot_mode": image.boot_mode,
            "architecture": "x86_64",
            "public": True,
            "state": "available",
            "hypervisor": "xen",
            "root_device_name": "/dev/sda1",
            "root_device_type": "ebs",
            "creation_date": "2024-03-13T00:00:00.000Z",
        }
        for image in estate.images
    ]


def _describe_instances_fully(estate: Estate) -> None:
    """Give moto's instances the details of DescribeInstances that it lacks.

    moto's answers are serialised from model attributes by the name in the service description, so an attribute
    ``platform_details`` comes out as PlatformDetails.
    """
    from moto.ec2.models.instances import Instance

    images = {image.ami_id: image for image in estate.images}
    details: dict[str, Any] = {
        "platform_details": lambda self: images[self.image_id].platform_details,
        "usage_operation": lambda self: images[self.image_id].usage_operation,
        "ena_support": lambda self: images[self.image_id].ena_support,
        "boot_mode": lambda self: images[self.image_id].boot_mode,
        "current_instance_boot_mode": lambda self: images[self.image_id].boot_mode,
    }
    for name, read in details.items():
        setattr(Instance, name, property(read))


def _show_consoles(lab: Ec2) -> None:
    """Let GetConsoleOutput show what the lab's hosts print, in place of moto's sample."""
    from moto.core.responses import ActionResult
    from moto.core.types import Base64EncodedString
    from moto.core.utils import utcnow
    from moto.ec2.responses.general import General

    def get_console_output(self: Any) -> ActionResult:
        instance = self.ec2_backend.get_instance(self._get_param("InstanceId"))
        shown = Base64EncodedString.from_raw_string(lab.console(instance.private_ip))
        return ActionResult({"InstanceId": instance.id, "Timestamp": utcnow(), "Output": shown})

    setattr(General, get_console_output.__name__, get_console_output)
