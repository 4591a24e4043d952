"""A thousand machines: few sweeps, few reads, few lines, little processor time."""

import time

from asr_migrate.domain.lifecycle import Goal

COUNT = 1000


def test_a_thousand_machines_are_enabled_with_the_sweeps_of_one_and_few_lines(big_story):
    few, many = big_story(2), big_story(COUNT)
    few.reach_all(Goal.PROTECTED)
    outcome = many.reach(Goal.PROTECTED, caps=())
    assert all(result.reached for result in outcome.machines.values())
    assert many.vault.sweeps <= few.vault.sweeps * 1.2 + 2
    assert len(many.vault.sent) == COUNT
    assert many.vault.read == []
    assert len(many.lines) < 60


def test_a_job_list_that_holds_two_hundred_rows_costs_no_read_while_the_machines_name_their_jobs(big_story):
    story = big_story(COUNT)
    story.vault.listed_jobs = 200
    outcome = story.reach(Goal.PROTECTED, caps=())
    assert all(result.reached for result in outcome.machines.values())
    assert len(story.vault.read) <= COUNT


def test_those_that_fail_are_named_and_the_rest_is_told_together(big_story):
    story = big_story(40)
    story.vault.failing["m0007", "create"] = "95107"
    story.reach(Goal.PROTECTED)
    failed = [line for line in story.lines if "failed at" in line]
    assert len(failed) == 1
    assert failed[0].startswith("m0007: failed at")
    assert any(line.startswith("39 of 40: protected reached") for line in story.lines)


def test_a_turn_of_a_thousand_machines_in_steady_replication_costs_little(big_story):
    story = big_story(COUNT)
    story.reach(Goal.PROTECTED, timeout_s=2000, caps=())
    sweeps, begun_s = story.vault.sweeps, time.process_time()
    story.reach(Goal.PROTECTED, timeout_s=600, caps=())
    each_s = (time.process_time() - begun_s) / (story.vault.sweeps - sweeps)
    assert each_s < 0.5
