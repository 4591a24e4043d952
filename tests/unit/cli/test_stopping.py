"""What the modules of a run leave for the command line when it was stopped."""

import io
import json
import os
import signal
import subprocess
import sys

import pytest
from rich.console import Console

from asr_migrate.cli import processes, screen, stopping

NOBODY = 2**22 + 1
"""A process id that no process has: Linux gives none above 2^22."""


@pytest.fixture
def left(tmp_path):
    def leave(pid=NOBODY, stopped="it was asked to stop by SIGTERM", lines=("web: fail over",)):
        told = {"pid": pid, "about": "wave w: failed_over", "stopped": stopped, "lines": lines}
        (tmp_path / f"{pid}.json").write_text(json.dumps(told))
        return tmp_path

    return leave


def test_a_run_that_ended_by_itself_left_nothing(tmp_path):
    assert stopping.stopped(tmp_path) == []


def test_a_plan_is_no_module_that_was_stopped(tmp_path):
    (tmp_path / "plan-1-1.json").write_text("{}")
    assert stopping.stopped(tmp_path) == []


def test_the_reason_and_what_goes_on_are_read(left):
    (one,) = stopping.stopped(left())
    assert (one.about, one.why, one.lines) == (
        "wave w: failed_over",
        "it was asked to stop by SIGTERM",
        ("web: fail over",),
    )


def test_a_module_that_does_not_end_in_time_is_named(left):
    (one,) = stopping.stopped(left(pid=os.getpid()), patience_s=0)
    assert one.lines[-1] == f"process {os.getpid()} has not ended yet; it asks for nothing more"


def test_a_module_that_was_killed_is_told_as_such(left):
    said = console()
    screen.show_stopped(said, stopping.stopped(left(stopped=None, lines=())))
    assert "wave w: failed_over: its module ended without a word" in said.file.getvalue()


def test_a_file_that_cannot_be_read_is_a_module_of_which_nothing_is_known(tmp_path):
    (tmp_path / "77.json").write_text("{")
    (one,) = stopping.stopped(tmp_path)
    assert (one.about, one.why) == ("a module", None)


def test_people_read_what_goes_on_and_how_to_go_on(left):
    said = console()
    screen.show_stopped(said, stopping.stopped(left()))
    assert said.file.getvalue().splitlines() == [
        "Stopped: wave w: failed_over: it was asked to stop by SIGTERM",
        "  goes on in Azure: web: fail over",
        "Nothing was cancelled. The same command goes on where each machine stands.",
    ]


def console():
    return Console(file=io.StringIO(), width=200)


PASSES = """
import sys
from asr_migrate.cli import processes
child = '''
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
print("up", flush=True)
signal.pause()
'''
ended = processes.stream([sys.executable, "-c", child], {})
assert ended.asked
sys.exit(ended.code)
"""


def test_a_signal_is_passed_on_and_the_program_ends_in_its_own_way():
    process = subprocess.Popen(
        [sys.executable, "-c", PASSES], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    )
    assert process.stdout.readline() == "up\n"
    process.terminate()
    assert process.wait(30) == 7


def test_a_second_signal_does_not_end_the_wait_for_what_was_stopped():
    reached = []
    with processes.stoppable(), processes.unmoved():
        signal.raise_signal(signal.SIGINT)
        reached.append(True)
    assert reached


def test_a_signal_between_two_programs_is_a_stop():
    with pytest.raises(processes.StoppedError), processes.stoppable():
        signal.raise_signal(signal.SIGTERM)


def test_ansibles_own_error_is_the_cause_without_the_lines_before_it():
    error = processes.failed("/x/ansible-playbook", 1, "PLAY [x]\n[ERROR]: no such inventory\nmore", "planning")
    assert error.cause.splitlines() == ["[ERROR]: no such inventory", "more"]


def test_the_end_of_a_failed_programs_output_is_its_cause():
    error = processes.failed("/x/ansible-playbook", 4, "\n".join(map(str, range(20))), "planning migrate")
    assert error.message == "planning migrate: ansible-playbook ended with 4"
    assert error.cause.splitlines() == [str(number) for number in range(10, 20)]
