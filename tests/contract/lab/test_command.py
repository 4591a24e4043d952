"""``python -m asr_lab.contract FOLDER``: what it prints and how it ends."""

import json

import pytest

from asr_lab.contract.__main__ import main
from asr_lab.contract.exceptions import rows_for_docs, table

from . import migrations


@pytest.fixture(scope="session")
def session():
    return migrations.in_mage_rcm()


@pytest.fixture
def folder(tmp_path, session):
    (tmp_path / "01-migration.json").write_text(json.dumps(session), encoding="utf-8")
    return tmp_path


def changed(session):
    """Return the session with a state in it that no service would tell, and a key too many."""
    text = json.dumps(session).replace('"protectionState": "Protected"', '"protectionState": "Levitating"')
    return json.loads(text.replace('"friendlyName": "wave-policy"', '"friendlyName": "wave-policy", "mood": "good"'))


def test_a_folder_that_is_answered_as_recorded_ends_with_0_and_a_total(folder, capsys):
    assert main([str(folder)]) == 0
    told = capsys.readouterr().out
    assert "01-migration" in told
    assert "74 of 74 exchanges are answered as recorded; 1 of 1 files." in told


def test_deviations_end_with_1_and_are_named_by_file_exchange_and_path(folder, session, capsys):
    (folder / "02-changed.json").write_text(json.dumps(changed(session)), encoding="utf-8")
    assert main([str(folder)]) == 1
    told = capsys.readouterr().out
    assert "02-changed.json" in told
    assert "properties.protectionState is 'Protected' instead of 'Levitating'" in told
    assert "GET replicationPolicies/wave-policy: properties.mood is missing" in told


def test_only_the_chosen_files_are_replayed(folder, session, capsys):
    (folder / "02-changed.json").write_text(json.dumps(changed(session)), encoding="utf-8")
    assert main([str(folder), "--only", "01"]) == 0
    assert "02-changed" not in capsys.readouterr().out


def test_everything_that_was_found_is_written_as_json(folder, session, tmp_path):
    (folder / "02-changed.json").write_text(json.dumps(changed(session)), encoding="utf-8")
    written = tmp_path / "found" / "report.json"
    written.parent.mkdir()
    assert main([str(folder), "--json", str(written)]) == 1
    found = json.loads(written.read_text(encoding="utf-8"))
    assert [one["file"] for one in found["files"]] == ["01-migration.json", "02-changed.json"]
    assert found["files"][0]["equal"] == 74
    assert found["files"][1]["deviating"] > 0


def test_verbose_lists_the_equal_exchanges_too(folder, capsys):
    main([str(folder), "--verbose"])
    assert "PUT replicationPolicies/wave-policy: equal" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("broken.json", "{", "cannot be read as JSON"),
        ("list.json", "[]", "has no list 'exchanges'"),
        ("rows.json", '{"exchanges": [{"request": {}}]}', "exchanges[0] lacks 'response'"),
        ("types.json", '{"exchanges": [{"request": {"method": 1, "url": 2}, "response": {"status": 3}}]}', "no text"),
    ],
)
def test_a_file_of_another_format_ends_with_2_and_one_sentence(tmp_path, capsys, name, content, told):
    (tmp_path / name).write_text(content, encoding="utf-8")
    assert main([str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert name in error
    assert error.count("\n") == 1


def test_a_missing_or_empty_folder_ends_with_2_and_one_sentence(tmp_path, capsys):
    assert main([str(tmp_path / "nowhere")]) == 2
    assert "does not exist" in capsys.readouterr().err
    assert main([str(tmp_path)]) == 2
    assert "holds no *.json file" in capsys.readouterr().err


def test_a_name_that_no_file_has_ends_with_2_and_the_names_there_are(folder, capsys):
    assert main([str(folder), "--only", "99"]) == 2
    assert "01-migration.json" in capsys.readouterr().err


def test_every_exception_is_told_to_the_documentation_with_its_reason():
    rows = rows_for_docs()
    assert len(rows) == len(table())
    assert all(row["path"] and row["reason"] and row["recordings"] for row in rows)
