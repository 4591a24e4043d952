"""A wave report's files: writing them, and the little of the last one that Azure cannot tell again."""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from asr_migrate.domain.errors import SetupError
from asr_migrate.report.collect import FAILOVER, moment
from asr_migrate.report.model import EarlierPoint, WaveReport
from asr_migrate.report.render import RENDERERS


def paths(folder: Path, wave: str) -> dict[str, Path]:
    """Return the file of each kind: ``<wave>-report.json``, ``.csv``, ``.html``."""
    return {kind: folder / f"{wave}-report.{kind}" for kind in RENDERERS}


def earlier_points(folder: Path, wave: str) -> dict[str, EarlierPoint]:
    """Return the recovery points that the wave's JSON report of before names, by machine; none without a report."""
    try:
        report = json.loads(paths(folder, wave)["json"].read_text(encoding="utf-8"))
        return {str(row["name"]): found for row in report["machines"] if (found := _earlier_point(row))}
    except (OSError, ValueError, LookupError, TypeError):
        return {}


def _earlier_point(row: Mapping[str, Any]) -> EarlierPoint | None:
    jobs = [step["job"] for step in row["steps"] if step["scenario"] == FAILOVER and step["state"] == "Succeeded"]
    time = moment(row["recovery_point"])
    return EarlierPoint(str(jobs[-1]), time) if jobs and time else None


def write(report: WaveReport, folder: Path, *, check_mode: bool = False) -> list[Path]:
    """Write those files whose content differs, each at once, and return them; in check mode only return them.

    Raises SetupError when the folder cannot be written to.
    """
    changed = []
    for kind, path in paths(folder, report.wave).items():
        text = RENDERERS[kind](report)
        try:
            if path.is_file() and path.read_bytes() == text.encode():
                continue
            changed.append(path)
            if not check_mode:
                _replace(path, text)
        except OSError as error:
            raise SetupError(
                f"{path} cannot be written: {error.strerror}",
                code="ReportNotWritten",
                cause=str(error),
                remedy="Correct asr_reports_dir, or the folder's owner and mode.",
            ) from error
    return changed


def _replace(path: Path, text: str) -> None:
    """Write a file so that a reader sees the old text or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
