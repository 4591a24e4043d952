"""cloud-init on a source: that it does not look for EC2's metadata, which would hold the boot up in Azure.

cloud-init reads /etc/cloud/cloud.cfg, then cloud.cfg.d/*.cfg in the order of their names; the last list of data sources
counts. Source: cloud-init's documentation; Azure Migrate tutorial for AWS instances, "Disable cloud-init".
"""

from __future__ import annotations

from collections.abc import Mapping

import yaml

from asr_migrate.hosts.linux_files import HostFile

DIRECTORY = "/etc/cloud/cloud.cfg.d/"
DROP_IN = f"{DIRECTORY}99-asr-migrate.cfg"
CONTENT = """# Made by asr.migrate before the replication to Azure; restore_sources takes it away.
datasource_list: [ NoCloud, Azure, None ]
"""
EC2 = "Ec2"


def sources(content: str) -> tuple[str, ...] | None:
    """Return the list of data sources that one file gives; None when it gives none, or is no YAML."""
    try:
        loaded = yaml.safe_load(content)
    except (yaml.YAMLError, ValueError):
        return None
    given = loaded.get("datasource_list") if isinstance(loaded, dict) else None
    return tuple(str(name) for name in given) if isinstance(given, list) else None


def lists(files: Mapping[str, HostFile]) -> list[tuple[str, tuple[str, ...]]]:
    """Return every file that gives a list, and the list, in the order in which cloud-init reads them."""
    found = ((path, sources(file.content)) for path, file in files.items() if path.startswith("/etc/cloud/"))
    given = [(path, names) for path, names in found if names is not None]
    return sorted(given, key=lambda item: (item[0].startswith(DIRECTORY), item[0]))


def looks_for_ec2(files: Mapping[str, HostFile]) -> bool:
    """Return whether EC2 is in the list in effect; cloud-init's own default names it."""
    given = lists(files)
    return not given or EC2 in given[-1][1]


def overriding(files: Mapping[str, HostFile]) -> str:
    """Return the file behind our drop-in that names EC2 all the same, or an empty text."""
    given = [(path, names) for path, names in lists(files) if path > DROP_IN]
    return given[-1][0] if given and EC2 in given[-1][1] else ""
