#!/usr/bin/python
# MIT License (see LICENSE)
"""Write the report of a wave."""

DOCUMENTATION = r"""
module: report
short_description: Write the report of a wave as JSON, CSV and HTML
version_added: 0.1.0
description:
  - Reads the vault's jobs, the machines' stages and their Azure VMs, and writes C(<wave>-report.json),
    C(<wave>-report.csv) and C(<wave>-report.html), one page that loads nothing from elsewhere.
  - A file is written only when its content differs. Azure is only read.
  - Site Recovery tells the recovery point of a failover until the migration is completed. It is kept from the JSON
    report of before, so write a report between failover and completion.
  - Why a machine stopped is what Azure shows, in the words of the last run where O(journal) names its journal and the
    machine still stands where that run left it. A gate that refused a machine is known from there only.
extends_documentation_fragment:
  - asr.migrate.azure
options:
  wave:
    description: The name of the wave.
    type: str
    required: true
  machines:
    description: The machines, as the filter P(asr.migrate.machines#filter) makes them; also those that were left out.
    type: list
    elements: dict
    required: true
  assessment:
    description:
      - What the role P(asr.migrate.assess#role) kept of each machine, by its name.
      - Keys of each are C(facts) (C(os_name), C(host_name)) and C(findings), as P(asr.migrate.findings#filter) returns
        them.
    type: dict
    default: {}
  findings:
    description: Findings of machines that O(assessment) does not have, as lists by machine name.
    type: dict
    default: {}
  dest:
    description: The folder of the reports; it is made when it does not exist.
    type: path
    required: true
"""

EXAMPLES = r"""
- name: Write the report
  asr.migrate.report:
    wave: legacy
    machines: "{{ groups['wave_legacy'] | asr.migrate.machines(hostvars) }}"
    dest: "{{ playbook_dir }}/../reports"
  delegate_to: localhost
"""

RETURN = r"""
files:
  description: The files of the report, by their kind.
  returned: success
  type: dict
  sample: {json: reports/legacy-report.json, csv: reports/legacy-report.csv, html: reports/legacy-report.html}
written:
  description: Those that were written by this call, or would be in check mode.
  returned: success
  type: list
  elements: str
summary:
  description: How many machines ended with each result.
  returned: success
  type: dict
  sample: {migrated: 3, refused: 1, failed: 0, in_progress: 0, not_started: 0}
machines:
  description: The result of each machine, by its name, as in the JSON file.
  returned: success
  type: dict
lines:
  description: The same for people, one line a machine, then the page.
  returned: success
  type: list
  elements: str
"""

from ansible_collections.asr.migrate.plugins.module_utils.boundary import AZURE_OPTIONS, main

ARGUMENT_SPEC = {
    **AZURE_OPTIONS,
    "wave": {"type": "str", "required": True},
    "machines": {"type": "list", "elements": "dict", "required": True},
    "assessment": {"type": "dict", "default": {}},
    "findings": {"type": "dict", "default": {}},
    "dest": {"type": "path", "required": True},
}


def _results(journal, warn):
    """Return what the last run said of each machine, by its name; nothing, and a warning, when it cannot be read."""
    from pathlib import Path

    from asr_migrate.azure.journal import read
    from asr_migrate.domain.errors import SetupError

    try:
        return read(Path(journal)).last_results if journal else {}
    except SetupError as error:
        warn(f"the report does without what earlier runs said: {error.message}. {error.remedy}")
        return {}


async def run(params, context):
    """Write the report; see RETURN for the result."""
    from functools import partial
    from pathlib import Path

    from asr_migrate.azure.site_recovery import AzureSiteRecovery
    from asr_migrate.domain.wave import Wave
    from asr_migrate.report import files, read, render
    from asr_migrate.session import provider_of

    folder = Path(params["dest"])
    fresh = {name: {"findings": rows} for name, rows in params["findings"].items()}
    results = _results(params["journal"], context.warn)
    async with context.session({**params, "journal": None}) as session:
        zone = session.landing_zone
        made = await read.read_wave(
            params["wave"],
            Wave.from_hosts(params["machines"], zone),
            AzureSiteRecovery(session.clients, zone),
            provider_of(zone),
            partial(read.private_address, session.clients),
            assessment=fresh | params["assessment"],
            earlier=files.earlier_points(folder, params["wave"]),
            results=results,
            now=await session.service_time(),
        )
    written = files.write(made, folder, check_mode=context.check_mode)
    plain = render.as_dict(made)
    where = files.paths(folder, made.wave)
    return {
        "changed": bool(written),
        "files": {kind: str(path) for kind, path in where.items()},
        "written": [str(path) for path in written],
        "summary": plain["summary"],
        "machines": {machine["name"]: machine for machine in plain["machines"]},
        "lines": [*render.lines(made), f"Report: {where['html']}"],
    }


if __name__ == "__main__":
    main(run, ARGUMENT_SPEC)
