"""When a rehearsal has succeeded."""

import io
import json

import pytest
from rich.console import Console

from asr_migrate.cli import screen, verdict
from asr_migrate.cli.inventories import limit
from asr_migrate.cli.rehearsal import reports
from asr_migrate.domain.errors import SetupError

MIGRATED = {"name": "app", "result": "migrated", "azure_vm": {"name": "app01"}, "blockers": [], "error": None}
REFUSED = {"name": "old", "result": "refused", "azure_vm": None, "blockers": [{"text": "paravirtual"}], "error": None}
FAILED = {
    "name": "db",
    "result": "failed",
    "azure_vm": None,
    "blockers": [],
    "error": {"code": "95107", "message": "Push failed", "cause": "The account is wrong.", "remedy": "Check it."},
}


def rows(*machines):
    return verdict.rows([{"wave": "legacy", "machines": list(machines)}])


def test_migrated_and_refused_machines_make_a_success():
    assert verdict.passed(rows(MIGRATED, REFUSED), 0)


def test_a_failed_machine_or_a_failed_play_makes_a_failure():
    assert not verdict.passed(rows(MIGRATED, FAILED), 0)
    assert not verdict.passed(rows(MIGRATED), 2)


def test_a_rehearsal_that_migrated_nothing_has_not_succeeded():
    assert not verdict.passed(rows(REFUSED), 0)
    assert not verdict.passed([], 0)


def test_a_machine_that_no_report_mentions_is_missing():
    found = rows(MIGRATED)
    lost = verdict.missing(found, {"app": "legacy", "web": "current"})
    assert [(row.wave, row.machine, row.result) for row in lost] == [("current", "web", "missing")]
    assert not verdict.passed(found + lost, 0)


def test_the_table_tells_the_azure_vm_and_every_reason():
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(screen.summary(rows(MIGRATED, REFUSED, FAILED), "The rehearsal"))
    text = console.export_text()
    for said in ("app01", "paravirtual", "Push failed [95107] Cause: The account is wrong. Remedy: Check it."):
        assert said in text


def test_only_the_wanted_waves_are_read(tmp_path):
    for wave in ("legacy", "current"):
        (tmp_path / f"{wave}-report.json").write_text(json.dumps({"wave": wave, "machines": []}))
    assert [report["wave"] for report in reports(tmp_path, [])] == ["current", "legacy"]
    assert [report["wave"] for report in reports(tmp_path, ["legacy"])] == ["legacy"]


def test_a_wave_is_limited_together_with_its_landing_zone_and_the_controller():
    assert limit([]) == []
    assert limit(["legacy"]) == ["--limit", "wave_legacy,landing_zone_legacy,localhost"]


def test_rpo_and_time_left_have_columns_where_they_are_known():
    copying = MIGRATED | {"result": "in_progress", "rpo_s": None, "copied_percent": 64.0, "minutes_left": 40}
    protected = MIGRATED | {"name": "web", "result": "in_progress", "rpo_s": 90.0}
    console = Console(width=150, record=True, file=io.StringIO())
    console.print(screen.summary(rows(copying, protected), "Where the machines stand"))
    text = console.export_text()
    for said in ("RPO", "90 s", "Left", "64 % copied, about 40 min"):
        assert said in text
    assert all("RPO" not in column.header for column in screen.summary(rows(MIGRATED), "The rehearsal").columns)


@pytest.mark.parametrize(
    "text",
    ["{", "[]", '{"wave": "current"}', '{"wave": "current", "machines": [{}]}', "[" * 200_000],
    ids=["cut", "list", "no machines", "no names", "deep"],
)
def test_a_report_that_cannot_be_read_is_named_unless_it_is_another_waves(text, tmp_path):
    (tmp_path / "current-report.json").write_text(text)
    (tmp_path / "legacy-report.json").write_text(json.dumps({"wave": "legacy", "machines": []}))
    with pytest.raises(SetupError, match=r"current-report\.json cannot be read"):
        reports(tmp_path, [])
    assert [report["wave"] for report in reports(tmp_path, ["legacy"])] == ["legacy"]
