"""A session that the lab exports is one that the contract's replay reads."""

import json
import subprocess
import sys

from asr_lab.arm.exchange_log import as_session


def test_an_exported_session_replays_as_it_was_answered(lab, request, tmp_path):
    lab.world.keep_answers = True
    modern = request.getfixturevalue("modern")
    modern.protect()
    lab.do("POST", f"{modern.item}/unplannedFailover", modern.failover_body())
    lab.do("POST", f"{modern.item}/failoverCommit")
    session = as_session(lab.world.log)
    (tmp_path / "exported.json").write_text(json.dumps(session), encoding="utf-8")
    replay = subprocess.run(
        [sys.executable, "-m", "asr_lab.contract", str(tmp_path)], capture_output=True, text=True, check=False
    )
    count = len(session["exchanges"])
    assert f"{count} of {count} exchanges are answered as recorded" in replay.stdout, replay.stdout + replay.stderr
