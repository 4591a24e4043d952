"""What is put back on a Linux source: exactly what was there, or just our own lines taken away."""

import pytest

from asr_migrate.domain.machine import Os
from asr_migrate.hosts import linux_cloud, profiles
from asr_migrate.hosts.prior import Prior

SSHD, HOSTS, FSTAB, DROP_IN = "/etc/ssh/sshd_config", "/etc/hosts", "/etc/fstab", linux_cloud.DROP_IN
BLOCK = "# asr-migrate: begin\nPermitRootLogin yes\n# asr-migrate: end\n"
WHOLE = {"mode": "0644", "uid": 0, "gid": 0}


def file(path, before, after):
    values = (None if content is None else WHOLE | {"content": content} for content in (before, after))
    return Prior("file", path, *values)


SHADOW = Prior("shadow", "root", {"field": "!!", "changed": "16500"}, {"field": "$6$ours$x", "changed": "20577"})


def back(kit, lines, files, *priors, force=False, only_push=False):
    source = profiles.make("source", Os.LINUX, "db-1", {})
    reading = source.read(kit.answer(kit.linux(lines, files).stdout()))
    return source.restoration(reading, priors, force=force, only_push=only_push)


def script(plan):
    return plan.exchanges[0].stdin.decode()


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        (SSHD, "UsePAM yes", BLOCK + "UsePAM yes"),
        (HOSTS, "127.0.0.1 localhost", "127.0.0.1 localhost\n" + BLOCK),
        (FSTAB, "/dev/xvda1 / ext4\n", "UUID=1 / ext4\n"),
        (DROP_IN, "old: 1\n", linux_cloud.CONTENT),
    ],
)
def test_a_file_as_we_left_it_gets_its_content_from_before(kit, path, before, after):
    item = file(path, before, after)
    plan = back(kit, {}, {path: after}, item)
    assert [change.what for change in plan.changes] == [path]
    assert plan.prior == ()
    assert f"printf '%s' '{before}' | run_change '{path}' 'replace_file'" in script(plan)
    assert ("'' 'sshd'\n" in script(plan)) == (path == SSHD)
    assert back(kit, {}, {path: before}, item).changes == ()


def test_a_file_of_ours_is_removed(kit):
    item = file(DROP_IN, None, linux_cloud.CONTENT)
    plan = back(kit, {}, {DROP_IN: linux_cloud.CONTENT}, item)
    assert f"'remove_file' '{DROP_IN}'" in script(plan)
    assert back(kit, {}, {DROP_IN: None}, item).changes == ()


@pytest.mark.parametrize("now", [("$6$ours$x", "20577"), ("$6$ours$x", "20580")])
def test_root_s_field_and_day_are_put_back(kit, now):
    plan = back(kit, {"shadow_field": now[0], "shadow_changed": now[1]}, {}, SHADOW)
    assert f"printf '%s' '{now[0]}\n{now[1]}\n!!\n16500\n' |" in script(plan)
    assert [change.as_dict() for change in plan.changes] == [
        {"what": "root's password", "from": "as given for the push", "to": "as before"}
    ]
    assert back(kit, {"shadow_field": "!!", "shadow_changed": "16500"}, {}, SHADOW).changes == ()


def test_a_day_of_change_alone_is_put_back(kit):
    item = Prior("shadow", "root", {"field": "$6$a$b", "changed": "0"}, {"field": "$6$a$b", "changed": "20577"})
    plan = back(kit, {"shadow_field": "$6$a$b", "shadow_changed": "20577"}, {}, item)
    assert "'$6$a$b\n20577\n$6$a$b\n0\n'" in script(plan)
    assert back(kit, {"shadow_field": "$6$a$b", "shadow_changed": "0"}, {}, item).changes == ()


@pytest.mark.parametrize(("path", "left"), [(SSHD, "PermitRootLogin no\n"), (HOSTS, "10.0.0.9 other\n")])
def test_a_file_that_somebody_changed_since_loses_our_lines_only(kit, path, left):
    item = file(path, "old\n", BLOCK + "old\n")
    plan = back(kit, {}, {path: BLOCK + left}, item)
    assert kit.rules(plan) == {"restore.changed-since": "warning"}
    assert f"printf '%s' '{left}' | run_change '{path}'" in script(plan)
    assert plan.prior == ()
    again = back(kit, {}, {path: left}, item)
    assert again.changes == ()
    assert again.prior == ()


@pytest.mark.parametrize(
    ("item", "lines", "files"),
    [
        (file(FSTAB, "/dev/xvda1 / ext4\n", "UUID=1 / ext4\n"), {}, {FSTAB: "UUID=9 / xfs\n"}),
        (file(FSTAB, "/dev/xvda1 / ext4\n", "UUID=1 / ext4\n"), {}, {FSTAB: None}),
        (file(DROP_IN, None, linux_cloud.CONTENT), {}, {DROP_IN: "datasource_list: [ Oracle ]\n"}),
        (SHADOW, {"shadow_field": "$6$theirs$y"}, {}),
        (SHADOW, {"shadow_field": None}, {}),
    ],
)
def test_anything_else_that_somebody_changed_is_left_and_stays_on_record(kit, item, lines, files):
    plan = back(kit, lines, files, item)
    assert kit.rules(plan) == {"restore.changed-since": "warning"}
    assert plan.changes == ()
    assert plan.prior == (item,)
    assert "$6$" not in str(plan.findings)


@pytest.mark.parametrize(
    ("item", "lines", "files", "call"),
    [
        (file(FSTAB, "old\n", "new\n"), {}, {FSTAB: "theirs\n"}, "printf '%s' 'old\n' | run_change '/etc/fstab'"),
        (file(FSTAB, "old\n", "new\n"), {}, {FSTAB: None}, "'replace_file' '/etc/fstab' 'absent'"),
        (file(SSHD, "old\n", "new\n"), {}, {SSHD: BLOCK + "x\n"}, "printf '%s' 'old\n' | run_change"),
        (file(DROP_IN, None, "new\n"), {}, {DROP_IN: "theirs\n"}, f"'remove_file' '{DROP_IN}'"),
        (SHADOW, {"shadow_field": "$6$theirs$y", "shadow_changed": "1"}, {}, "'$6$theirs$y\n1\n!!\n16500\n'"),
    ],
)
def test_force_puts_it_back_all_the_same(kit, item, lines, files, call):
    plan = back(kit, lines, files, item, force=True)
    assert call in script(plan)
    assert plan.findings == ()
    assert plan.prior == ()


@pytest.mark.parametrize("left", ["", "UUID=1 /"])
def test_a_file_whose_writing_was_killed_gets_its_content_from_before(kit, left):
    item = file(FSTAB, "/dev/xvda1 / ext4\n", "UUID=1 / ext4\n")
    plan = back(kit, {"remains": "/etc/fstab.asr-migrate-new"}, {FSTAB: left}, item)
    assert [change.what for change in plan.changes] == ["/etc/fstab.asr-migrate-new", FSTAB]
    assert plan.prior == ()


def test_what_only_the_push_needed_is_put_back_alone(kit):
    hosts, cloud = file(HOSTS, "a\n", BLOCK + "a\n"), file(DROP_IN, None, linux_cloud.CONTENT)
    files = {SSHD: BLOCK + "x\n", HOSTS: BLOCK + "a\n", DROP_IN: linux_cloud.CONTENT}
    lines = {"shadow_field": "$6$ours$x", "shadow_changed": "20577"}
    plan = back(kit, lines, files, hosts, file(SSHD, "x\n", BLOCK + "x\n"), SHADOW, cloud, only_push=True)
    assert [change.what for change in plan.changes] == [SSHD, "root's password"]
    assert plan.prior == (hosts, cloud)


def test_without_a_record_our_lines_are_taken_away(kit):
    files = {SSHD: BLOCK + "UsePAM yes\n", HOSTS: "127.0.0.1 localhost\n" + BLOCK, DROP_IN: linux_cloud.CONTENT}
    plan = back(kit, {"remains": "/etc/shadow.asr-migrate-new"}, files)
    assert {change.what for change in plan.changes} == {SSHD, HOSTS, DROP_IN, "/etc/shadow.asr-migrate-new"}
    assert back(kit, {}, {}).changes == ()


def test_the_record_s_files_are_asked_for_whatever_is_wanted_today(kit):
    source = profiles.make("source", Os.LINUX, "db-1", {})
    text = source.inspect((file("/etc/other", "a", "b"), SHADOW)).stdin.decode()
    assert "want_files='/etc/other'\n" in text


def test_a_block_for_the_push_without_a_record_warns_of_root_s_password(kit):
    prepared = {SSHD: BLOCK + "UsePAM yes\n"}
    warned = [finding.rule for finding in back(kit, {}, prepared).findings]
    assert warned == ["restore.no-record"]
    assert back(kit, {}, prepared, file(SSHD, "UsePAM yes\n", prepared[SSHD])).findings == ()
    assert back(kit, {}, prepared, SHADOW).findings[:-1] == ()
    assert back(kit, {}, {HOSTS: BLOCK}).findings == ()
