"""Jinja filter that turns hosts' variables into the machines which the wave modules take."""

DOCUMENTATION = r"""
name: machines
short_description: Turn hosts' variables into the machines of a wave
version_added: 0.1.0
description:
  - Reads each host's C(asr_*) variables, what the role assess saw of it (C(assess_machine)) and the facts of the
    C(amazon.aws.aws_ec2) inventory (with C(hostvars_prefix=ec2_)), in this order, and returns the list of machines that
    M(asr.migrate.wave), M(asr.migrate.wave_info) and M(asr.migrate.report) take.
positional: _input, hostvars
options:
  _input:
    description: Names of inventory hosts.
    type: list
    elements: str
    required: true
  hostvars:
    description: Ansible's C(hostvars).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Look at the wave
  asr.migrate.wave_info:
    machines: "{{ groups['wave_legacy'] | asr.migrate.machines(hostvars) }}"
"""

RETURN = r"""
_value:
  description: One dictionary a host, in the order of the input.
  type: list
  elements: dict
"""

from ansible.errors import AnsibleFilterError

BITS = {"x86_64": 64, "arm64": 64, "i386": 32}
#: machine field: the host variables that may carry it, first one that is set wins
FIELDS = {
    "os_name": ("asr_os_name",),
    "host_name": ("asr_host_name",),
    "virtualization": ("asr_virtualization", "ec2_virtualization_type"),
    "storage_interface": ("asr_storage_interface",),
    "disks": ("asr_disks",),
    "pv_driver": ("asr_pv_driver",),
    "bits": ("asr_bits",),
    "facts": (),
    "group": ("asr_group",),
    "boot_order": ("asr_boot_order",),
    "probes": ("asr_probes",),
    "run_as_account": ("asr_run_as_account",),
    "quiesced_at": ("wave_quiesced_at",),
    "probe_address": ("asr_probe_address",),
    "probe_test_address": ("asr_probe_test_address",),
    "quiesce_commands": (),
}


def first(variables, names):
    """Return the first of the named variables that is set and not empty, or None."""
    return next((variables[name] for name in names if variables.get(name) not in (None, "", [])), None)


def quiesce_commands(variables):
    """Return how many commands stop the host's work: they may hold secrets. What is no list is returned as it is."""
    commands = first(variables, ("wave_quiesce", "asr_quiesce_commands"))
    is_list = isinstance(commands, list) and all(isinstance(command, str) and command for command in commands)
    return len(commands) if is_list else commands


def addresses(variables):
    """Return the host's addresses as the sources know each other, the private one first."""
    given = variables.get("asr_addresses") or [first(variables, ("ec2_private_ip_address", "ansible_host"))]
    return [address for address in given if address]


def machine(name, variables):
    """Return one machine; a variable that is missing is named together with its host and the remedy."""
    required = {
        "source_id": first(variables, ("asr_source_id", "ec2_instance_id")) or name,
        "wave": variables.get("asr_wave"),
        "os": variables.get("asr_os"),
        "target": variables.get("asr_target"),
    }
    missing = ["asr_" + field for field, value in required.items() if not value]
    if missing:
        raise AnsibleFilterError(
            f"host {name}: {', '.join(missing)} is not set; set it in the inventory's group_vars "
            "(see inventory/example) or as an EC2 tag that group_vars reads"
        )
    made = {"name": name, "source": variables.get("asr_source", "aws"), "addresses": addresses(variables), **required}
    seen = {"bits": BITS.get(variables.get("ec2_architecture")), "quiesce_commands": quiesce_commands(variables)}
    seen |= variables.get("assess_machine") or {}
    for field, names in FIELDS.items():
        value = first(variables, names) or seen.get(field)
        if value not in (None, "", []):
            made[field] = value
    return made


def machines(names, hostvars):
    """Return the machines of the named hosts."""
    return [machine(name, hostvars[name]) for name in names]


class FilterModule:
    """Filters of asr.migrate about machines."""

    def filters(self):
        return {"machines": machines}
