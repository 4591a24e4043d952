"""A wave report as text: JSON for programs, CSV for sheets, one HTML page for people.

The text depends on the report only: rendering an unchanged report twice gives the same bytes, so a second run changes
no file.
"""

import csv
import io
import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from asr_migrate.report.model import MachineReport, Result, Step, WaveReport
from asr_migrate.report.timeline import LEGEND, Timeline, lay_out

CSV_COLUMNS = (
    "wave",
    "machine",
    "source_id",
    "address",
    "os",
    "result",
    "stage",
    "azure_vm",
    "vm_size",
    "vm_address",
    "vm_id",
    "started",
    "ended",
    "duration_s",
    "recovery_point",
    "reasons",
    "warnings",
    "rpo_s",
    "copied_percent",
    "minutes_left",
)
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def iso(moment: datetime | None) -> str | None:
    """Return a time as ISO 8601 in UTC, to the second."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


def duration_text(seconds: float | None) -> str:
    """Return a duration for people: "45 s", "7 min 52 s", "2 h 5 min", and "" for None."""
    if seconds is None:
        return ""
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    if hours:
        return f"{hours} h {minutes} min"
    if not minutes:
        return f"{left} s"
    return f"{minutes} min {left} s" if left else f"{minutes} min"


def _step(step: Step) -> dict[str, Any]:
    return {
        "what": step.title,
        "scenario": step.scenario,
        "job": step.job,
        "state": step.state,
        "started": iso(step.started),
        "ended": iso(step.ended),
        "duration_s": step.duration_s,
    }


def _machine(machine: MachineReport) -> dict[str, Any]:
    vm = machine.azure_vm
    failure = machine.failure
    return {
        "name": machine.name,
        "result": str(machine.result),
        "stage": machine.stage,
        "source": {"id": machine.source_id, "address": machine.address, "os": machine.os_name},
        "azure_vm": None
        if vm is None
        else {
            "name": vm.name,
            "id": vm.id,
            "resource_group": vm.resource_group,
            "size": vm.size,
            "private_ip": vm.private_ip,
        },
        "recovery_point": iso(machine.recovery_point),
        "duration_s": machine.duration_s,
        "steps": [_step(step) for step in machine.steps],
        "blockers": [finding.as_dict() for finding in machine.blockers],
        "warnings": [finding.as_dict() for finding in machine.warnings],
        "error": None if failure is None else asdict(failure),
        "rpo_s": machine.rpo_s,
        "copied_percent": machine.progress,
        "minutes_left": machine.minutes_left,
    }


def as_dict(report: WaveReport) -> dict[str, Any]:
    """Return the report as plain values; the shape is that of the JSON file."""
    return {
        "wave": report.wave,
        "architecture": report.architecture,
        "vault": report.vault,
        "location": report.location,
        "summary": {str(result): count for result, count in report.counts.items()},
        "machines": [_machine(machine) for machine in report.machines],
    }


def to_json(report: WaveReport) -> str:
    """Return the report as JSON text."""
    return json.dumps(as_dict(report), indent=2, ensure_ascii=False) + "\n"


def _cell(value: object) -> str:
    """Return a CSV cell that no spreadsheet takes for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def to_csv(report: WaveReport) -> str:
    """Return the report as CSV text, one line a machine, columns as in CSV_COLUMNS."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for machine in report.machines:
        vm = machine.azure_vm
        row = (
            report.wave,
            machine.name,
            machine.source_id,
            machine.address,
            machine.os_name,
            machine.result,
            machine.stage,
            vm.name if vm else None,
            vm.size if vm else None,
            vm.private_ip if vm else None,
            vm.id if vm else None,
            iso(machine.started),
            iso(machine.ended),
            None if machine.duration_s is None else round(machine.duration_s),
            iso(machine.recovery_point),
            "; ".join(machine.reasons),
            "; ".join(finding.text for finding in machine.warnings),
            None if machine.rpo_s is None else round(machine.rpo_s),
            machine.progress,
            machine.minutes_left,
        )
        writer.writerow([_cell(value) for value in row])
    return out.getvalue()


def to_html(report: WaveReport) -> str:
    """Return the report as one HTML page that loads nothing from anywhere."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["iso"] = iso
    environment.filters["clock_time"] = lambda moment: moment.strftime("%Y-%m-%d %H:%M") if moment else ""
    environment.filters["duration"] = duration_text
    environment.filters["copying"] = copying
    timeline: Timeline | None = lay_out(report)
    counts = [(result, count) for result, count in report.counts.items() if count]
    page: str = environment.get_template("wave.html.j2").render(
        report=report, counts=counts, timeline=timeline, legend=LEGEND, Result=Result
    )
    return page


def lines(report: WaveReport) -> list[str]:
    """Return the report in short for a terminal: one line a machine."""
    width = max((len(machine.name) for machine in report.machines), default=0)
    return [_line(machine, width) for machine in report.machines]


def copying(machine: MachineReport) -> list[str]:
    """Return how the copy of a machine's disks stands, in words; nothing where it is not known."""
    told = []
    if machine.progress is not None:
        left = "" if machine.minutes_left is None else f", about {duration_text(machine.minutes_left * 60)} left"
        told.append(f"{machine.progress:.0f} % copied{left}")
    if machine.rpo_s is not None:
        told.append(f"RPO {duration_text(machine.rpo_s)}")
    return told


def _line(machine: MachineReport, width: int) -> str:
    parts = [f"{machine.name:<{width}}  {str(machine.result).replace('_', ' '):<11}"]
    if machine.azure_vm:
        size, address = machine.azure_vm.size or "", machine.azure_vm.private_ip or ""
        parts.append(" ".join(part for part in (machine.azure_vm.name, size, address) if part))
    if machine.duration_s is not None:
        parts.append(duration_text(machine.duration_s))
    parts += [*copying(machine), *machine.reasons]
    return "  ".join(parts).rstrip()


RENDERERS = {"json": to_json, "csv": to_csv, "html": to_html}
