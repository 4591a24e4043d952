#!/usr/bin/python
# MIT License (see LICENSE)

DOCUMENTATION = r"""
module: security_groups
short_description: Open the ports of Site Recovery between an appliance and its sources in EC2
version_added: 0.1.0
description:
  - Compares the security groups of the appliance and of the sources with Site Recovery's table of ports and adds the
    rules that are missing. A way that any group of an instance lets through already needs none. Nothing is removed.
  - Inbound rules and, where a group does not allow all outbound connections, outbound rules.
options:
  group:
    description: Id of the appliance's security group. It must exist, except in check mode.
    type: str
  address:
    description: The appliance's private address.
    type: str
    required: true
  vpc:
    description: Id of its VPC.
    type: str
    required: true
  architecture:
    description: Decides which page of the appliance administrators open.
    type: str
    choices: [classic, modernized]
    required: true
  machines:
    description:
      - The sources, as P(asr.migrate.machines#filter) returns them. Those whose C(source_id) is an EC2 instance take
        part; machines with the same C(group) share recovery points.
    type: list
    elements: dict
    default: []
  push:
    description: Whether the appliance installs the Mobility service, which needs ports of the sources.
    type: bool
    default: true
  source_cidrs:
    description: Networks of sources that are let in.
    type: list
    elements: str
    default: []
  source_groups:
    description: Further security groups of sources, by id or name.
    type: list
    elements: str
    default: []
  admin_cidrs:
    description: Networks that may administer the appliance.
    type: list
    elements: str
    default: []
  sources_too:
    description: Whether missing rules are added to the sources' groups, too.
    type: bool
    default: true
  region:
    description: AWS region; by default that of boto3's settings.
    type: str
author:
  - The asr-migrate authors (@asr-migrate)
attributes:
  check_mode:
    support: full
    description: Reads, and returns what would be added.
"""

EXAMPLES = r"""
- name: Let sources and appliance reach each other
  asr.migrate.security_groups:
    group: sg-0123456789abcdef0
    address: 10.20.0.20
    vpc: vpc-0123456789abcdef0
    architecture: modernized
    machines: "{{ groups['wave_wave1'] | asr.migrate.machines(hostvars) }}"
    admin_cidrs: [10.20.0.0/24]
  delegate_to: localhost
"""

RETURN = r"""
added:
  description: Rules that were added, or would be in check mode.
  returned: success
  type: list
  elements: dict
  contains:
    group: {description: Id of the group., type: str, returned: success}
    group_name: {description: Name of the group., type: str, returned: success}
    direction: {description: V(inbound) or V(outbound)., type: str, returned: success}
    ports: {description: Port or range., type: str, returned: success}
    peer: {description: The other end, returned: success, type: str}
    why: {description: What it is for., type: str, returned: success}
writes:
  description: What check mode did not send.
  returned: success
  type: list
  elements: dict
"""

from ansible_collections.asr.migrate.plugins.module_utils.boundary import main

ARGUMENT_SPEC = {
    "group": {"type": "str"},
    "address": {"type": "str", "required": True},
    "vpc": {"type": "str", "required": True},
    "architecture": {"type": "str", "choices": ["classic", "modernized"], "required": True},
    "machines": {"type": "list", "elements": "dict", "default": []},
    "push": {"type": "bool", "default": True},
    "source_cidrs": {"type": "list", "elements": "str", "default": []},
    "source_groups": {"type": "list", "elements": "str", "default": []},
    "admin_cidrs": {"type": "list", "elements": "str", "default": []},
    "sources_too": {"type": "bool", "default": True},
    "region": {"type": "str"},
}


def ports_of(params):
    """Return the rows of the table that these parameters ask for."""
    from asr_migrate.aws.appliance_groups import Ports
    from asr_migrate.hosts.ports import between

    kind, push = params["architecture"], params["push"]
    return Ports(
        to_appliance=between("source", "appliance", architecture=kind),
        from_admin=between("admin", "appliance", architecture=kind),
        to_azure=between("appliance", "internet", architecture=kind),
        to_source={
            os: between("appliance", "source", architecture=kind, os=os, push=push) for os in ("windows", "linux")
        },
        between_sources=between("source", "source", architecture=kind, group=True),
    )


def run(params, context):
    """Add what is missing; see RETURN for the result."""
    from asr_migrate.aws import appliance_groups, ec2, security_groups

    if not params["group"]:
        return {"changed": False, "added": [], "writes": []}
    client = ec2.client(params["region"])
    machines = [row for row in params["machines"] if str(row.get("source_id", "")).startswith("i-")]
    ends = security_groups.ends(client, [row["source_id"] for row in machines])
    together = {}
    for row in machines:
        if row.get("group"):
            together.setdefault(row["group"], []).append(ends[row["source_id"]].name)
    wanted = appliance_groups.Wanted(
        appliance_group=params["group"],
        appliance_address=params["address"],
        vpc=params["vpc"],
        sources=list(ends.values()),
        source_cidrs=params["source_cidrs"],
        admin_cidrs=params["admin_cidrs"],
        group_ids=security_groups.ids_of(client, params["source_groups"], params["vpc"]),
        together=list(together.values()),
        sources_too=params["sources_too"],
    )
    added = appliance_groups.ensure(client, wanted, ports_of(params), change=not context.check_mode)
    writes = [{"method": "POST", "what": f"add to {lack.group_name}", "why": lack.text} for lack in added]
    return {
        "changed": bool(added),
        "added": [lack.as_dict() for lack in added],
        "writes": writes if context.check_mode else [],
    }


if __name__ == "__main__":
    main(run, ARGUMENT_SPEC)
