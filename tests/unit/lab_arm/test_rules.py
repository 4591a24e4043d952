"""The lab's tables of behaviour."""

import pytest

from asr_lab.arm.providers import rules


@pytest.fixture
def files(tmp_path):
    for name, text in (("jobs.yml", "A: {text: one}\n"), ("jobs_plans.yml", "B: {text: two}\n")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_a_table_goes_on_in_further_files(files):
    assert rules.united(sorted(files.iterdir())) == {"A": {"text": "one"}, "B": {"text": "two"}}


def test_a_key_in_two_files_of_a_table_is_refused_naming_both(files):
    (files / "jobs_vault.yml").write_text("A: {text: three}\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"jobs_vault.yml: 'A' stands in jobs.yml already"):
        rules.united(sorted(files.iterdir()))


def test_a_table_that_nobody_wrote_is_named():
    with pytest.raises(FileNotFoundError, match=r"weather\.yml"):
        rules.table("weather")


def test_every_duration_says_how_it_is_known():
    rows = [row for steps in rules.table("durations").values() for row in steps.values()]
    assert {row["known"] for row in rows} <= {"recorded", "documented", "specification", "chosen"}
    assert all(row["seconds"] >= 0 for row in rows)


@pytest.mark.parametrize("kind", ["service", "provider", "health"])
def test_every_error_has_a_message_causes_and_an_action(kind):
    for code, row in rules.table("errors")[kind].items():
        assert {"message", "causes", "action"} <= set(row), code
