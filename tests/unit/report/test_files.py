"""Writing a report to its files."""

import importlib.util
from pathlib import Path

import pytest

from asr_migrate.domain.errors import SetupError
from asr_migrate.report.files import earlier_points, paths, write

SPEC = importlib.util.spec_from_file_location("report_samples", Path(__file__).with_name("samples.py"))
samples = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(samples)


def test_the_first_run_writes_every_file_and_the_second_none(tmp_path):
    folder = tmp_path / "reports"
    assert [path.name for path in write(samples.WAVE, folder)] == [
        "legacy-report.json",
        "legacy-report.csv",
        "legacy-report.html",
    ]
    assert write(samples.WAVE, folder) == []
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        path.name for path in paths(folder, "legacy").values()
    )


def test_only_a_file_that_differs_is_written_again(tmp_path):
    write(samples.WAVE, tmp_path)
    (tmp_path / "legacy-report.csv").write_text("changed by hand")
    assert [path.name for path in write(samples.WAVE, tmp_path)] == ["legacy-report.csv"]


def test_check_mode_names_the_files_and_writes_none(tmp_path):
    assert len(write(samples.WAVE, tmp_path / "reports", check_mode=True)) == 3
    assert not (tmp_path / "reports").exists()


def test_a_folder_that_cannot_be_made_is_named_with_its_remedy(tmp_path):
    (tmp_path / "reports").write_text("a file, not a folder")
    with pytest.raises(SetupError, match=r"legacy-report\.json cannot be written") as caught:
        write(samples.WAVE, tmp_path / "reports")
    assert "asr_reports_dir" in caught.value.remedy


def test_the_recovery_points_of_the_last_report_are_found_again(tmp_path):
    assert earlier_points(tmp_path, "legacy") == {}
    write(samples.WAVE, tmp_path)
    found = earlier_points(tmp_path, "legacy")
    assert {name: (point.job, point.time) for name, point in found.items()} == {
        "app-2008": ("job-UnplannedFailover-0", samples.at(89)),
        "db-rhel67": ("job-UnplannedFailover-7", samples.at(92)),
    }


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"machines": [{"name": "x"}]}'])
def test_a_report_that_cannot_be_read_is_as_none(tmp_path, text):
    (tmp_path / "legacy-report.json").write_text(text)
    assert earlier_points(tmp_path, "legacy") == {}
