"""What an earlier rehearsal left is never judged as this one's."""

import pytest

from asr_migrate.cli.rehearsal import _forget
from asr_migrate.domain.errors import SetupError


def test_reports_of_an_earlier_rehearsal_are_removed_and_none_need_be_there(tmp_path):
    folder = tmp_path / "rehearsal"
    _forget(folder)
    folder.mkdir()
    (folder / "legacy-report.json").write_text("{}")
    _forget(folder)
    assert not folder.exists()


def test_reports_that_cannot_be_removed_stop_the_rehearsal_with_a_remedy(tmp_path):
    in_the_way = tmp_path / "rehearsal"
    in_the_way.write_text("a file where the folder should be")
    with pytest.raises(SetupError, match="cannot be removed") as raised:
        _forget(in_the_way)
    assert str(in_the_way) in str(raised.value)
    assert raised.value.remedy
