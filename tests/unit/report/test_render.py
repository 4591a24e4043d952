"""The wave report as JSON, CSV and HTML."""

import csv
import importlib.util
import io
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from asr_migrate.report.model import Result, WaveReport
from asr_migrate.report.render import CSV_COLUMNS, duration_text, lines, to_csv, to_html, to_json
from asr_migrate.report.timeline import LABELS, WIDTH, lay_out

SPEC = importlib.util.spec_from_file_location("report_samples", Path(__file__).with_name("samples.py"))
samples = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(samples)


def test_every_machine_ends_with_one_result():
    assert [machine.result for machine in samples.WAVE.machines] == [
        Result.MIGRATED,
        Result.FAILED,
        Result.MIGRATED,
        Result.REFUSED,
        Result.IN_PROGRESS,
    ]


def test_a_machine_in_azure_is_migrated_even_if_a_rule_would_refuse_its_source_now():
    assert replace(samples.REFUSED, stage="migrated").result is Result.MIGRATED


def test_a_machine_that_nothing_was_asked_of_is_not_started():
    assert replace(samples.REFUSED, findings=()).result is Result.NOT_STARTED


def test_the_duration_runs_from_the_first_step_to_the_end_of_the_last():
    assert (samples.MIGRATED.duration_s, samples.RUNNING.duration_s) == (104 * 60, None)


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, ""), (0, "0 s"), (59.6, "1 min"), (472, "7 min 52 s"), (7500, "2 h 5 min")]
)
def test_durations_are_told_in_words(seconds, text):
    assert duration_text(seconds) == text


def test_json_counts_and_lists_every_machine_with_its_steps():
    data = json.loads(to_json(samples.WAVE))
    assert data["summary"] == {"migrated": 2, "refused": 1, "failed": 1, "in_progress": 1, "not_started": 0}
    first = data["machines"][0]
    assert (first["name"], first["result"], first["azure_vm"]["size"]) == ("app-2008", "migrated", "Standard_D2s_v5")
    assert first["steps"][3] == {
        "what": "Test failover",
        "scenario": "TestFailover",
        "job": "job-TestFailover-0",
        "state": "Succeeded",
        "started": "2026-05-04T09:10:00Z",
        "ended": "2026-05-04T09:18:00Z",
        "duration_s": 480.0,
    }
    assert data["machines"][3]["blockers"][0]["rule"] == "ec2.virtualization-hvm"


def test_csv_has_one_line_a_machine_and_tells_the_reasons():
    lines = list(csv.DictReader(io.StringIO(to_csv(samples.WAVE))))
    assert tuple(lines[0]) == CSV_COLUMNS
    assert [line["machine"] for line in lines] == [machine.name for machine in samples.WAVE.machines]
    assert lines[3]["reasons"] == samples.BLOCKER.text
    assert lines[1]["reasons"].startswith("Push failed [95107] Cause: The account ")


def test_no_cell_of_the_csv_can_become_a_formula():
    evil = replace(samples.REFUSED, os_name="=cmd|'/c calc'!A1")
    line = next(csv.DictReader(io.StringIO(to_csv(WaveReport("w", "classic", "v", "l", (evil,))))))
    assert line["os"] == "'=cmd|'/c calc'!A1"


def test_the_page_loads_nothing_from_anywhere_and_escapes_what_it_shows():
    page = to_html(samples.WAVE)
    assert re.findall(r"""(?:src|href)=["'](?!#)""", page) == []
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")
    assert "&lt;script&gt;is wrong&lt;/script&gt;" in page


def test_the_page_names_every_machine_its_vm_and_why_it_stopped():
    page = to_html(samples.WAVE)
    for machine in samples.WAVE.machines:
        assert f'id="{machine.name}"' in page
    for said in ("10.60.1.4", samples.BLOCKER.remedy, samples.WARNING.text, "95107"):
        assert said in page


def test_an_empty_wave_makes_a_page_without_a_timeline():
    empty = WaveReport("none", "modernized", "vault", "westeurope")
    assert lay_out(empty) is None
    assert "<svg" not in to_html(empty)


@pytest.mark.parametrize("render", [to_json, to_csv, to_html])
def test_rendering_twice_gives_the_same_text(render):
    assert render(samples.WAVE) == render(samples.WAVE)


def test_bars_stay_inside_the_drawing_and_ticks_are_few():
    drawn = lay_out(samples.WAVE)
    assert all(bar.x >= LABELS and bar.x + bar.width <= WIDTH for bar in drawn.bars)
    assert 2 <= len(drawn.ticks) <= 9
    assert [name for name, _ in drawn.rows] == ["app-2008", "app-2012", "db-rhel67", "app-2016"]


def test_a_failed_step_and_a_running_one_look_different():
    drawn = lay_out(samples.WAVE)
    assert [bar.tip for bar in drawn.bars if bar.kind == "failed"] == [
        "Enable replication (Failed): 2026-05-04 08:03 to 08:09"
    ]
    assert [bar.tip for bar in drawn.bars if bar.running] == ["Failover: running"]


def test_a_terminal_gets_one_line_a_machine():
    assert lines(samples.WAVE)[0] == "app-2008      migrated     app01 Standard_D2s_v5 10.60.1.4  1 h 44 min"
    assert lines(samples.WAVE)[3] == f"old-rhel67pv  refused      {samples.BLOCKER.text}"


def test_the_time_between_enabling_and_failover_is_drawn_as_replicating():
    drawn = lay_out(samples.WAVE)
    assert [bar.tip for bar in drawn.protected][:1] == ["Replicating: 2026-05-04 08:27 to 09:30"]
    assert all(bar.x + bar.width <= WIDTH for bar in drawn.protected)
