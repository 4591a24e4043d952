"""The scripts for Linux hosts, run by the shells that this machine has, on files of their own."""

import os
import re
import shutil
import signal
import subprocess
from importlib.resources import files

import pytest

from asr_migrate.hosts import linux_files, linux_script

SHELLS = [shell for shell in (["dash"], ["bash"], ["busybox", "sh"]) if shutil.which(shell[0])] or [["sh"]]
NAMES = [" ".join(shell) for shell in SHELLS]
SCRIPTS = [path.name for path in files("asr_migrate.hosts").joinpath("scripts").iterdir() if path.name.endswith(".sh")]


@pytest.fixture(params=SHELLS, ids=NAMES)
def run(request, tmp_path):
    """Return a function that lets a shell run a text; programs in ``tmp_path/bin`` come before the machine's."""

    def run_it(text):
        text = text.replace("PATH=/usr/local/sbin", f"PATH={tmp_path}/bin:/usr/local/sbin", 1)
        for path in (
            "/run/systemd/system",
            "/etc/init.d",
            "/var/run/sshd.pid",
            "/run/sshd.pid",
            "/etc/shadow",
            "/etc/machine-id",
        ):
            text = text.replace(path, f"{tmp_path}{path}")
        done = subprocess.run(request.param, input=linux_script.to_send(text), capture_output=True, check=False)
        return done.stdout.decode("utf-8", "surrogateescape"), done.returncode

    return run_it


def seen(path, real=None):
    """Return a file as a probe would have seen it."""
    real = real or path
    stat = os.stat(real)
    content = real.read_bytes().decode("utf-8", "surrogateescape")
    mode = f"{stat.st_mode & 0o7777:04o}"
    return linux_files.HostFile(str(path), str(real), content, mode, stat.st_uid, stat.st_gid, stat.st_nlink)


def replaced(now, content, service=""):
    """Return the script that gives a file other content."""
    call = linux_files.replace_call("it", now, now.path, now.with_content(content), service)
    return linux_script.script("changes") + call


@pytest.mark.parametrize("shell", SHELLS, ids=NAMES)
@pytest.mark.parametrize("name", SCRIPTS)
def test_every_script_is_understood_by_a_plain_shell(shell, name):
    text = files("asr_migrate.hosts").joinpath("scripts", name).read_text(encoding="utf-8")
    done = subprocess.run(shell, input=f"set -n\n{text}", capture_output=True, text=True, check=False)
    assert done.stderr == ""


def test_no_function_hides_a_program_that_is_looked_for():
    texts = [files("asr_migrate.hosts").joinpath("scripts", name).read_text(encoding="utf-8") for name in SCRIPTS]
    functions = {name for text in texts for name in re.findall(r"(?m)^(\w+)\(\) ", text)}
    asked = [line for text in texts for line in re.findall(r"(?:command -v|first_program) ([^|;)>]*)", text)]
    assert functions.isdisjoint(word for line in asked for word in line.split())
    assert "sshd" in {word for line in asked for word in line.split()}


def probe(run, tmp_path, *wanted, reach="127.0.0.1 9"):
    text = linux_script.script(
        "probe",
        want_reach=reach,
        want_files="\n".join(map(str, wanted)),
        want_work=f"{tmp_path}/work",
        want_config_input="",
    )
    return run(f"{text}echo after\n")


def test_the_probe_reaches_its_end_and_reads_nothing_from_its_own_standard_input(run, tmp_path):
    printed, code = probe(run, tmp_path)
    lines = printed.splitlines()
    assert code == 0
    assert lines[-2:] == ["end\t0", "after"]
    assert "reach 127.0.0.1 9\tclosed" in lines
    assert any(line.startswith("utc\t20") for line in lines)


def machine_without(directory, *missing):
    """Put links to this machine's programs into a directory, but for the missing ones."""
    directory.mkdir()
    for place in ("/usr/sbin", "/usr/bin", "/sbin", "/bin"):
        for name in os.listdir(place):
            if name not in missing and not os.path.lexists(directory / name):
                (directory / name).symlink_to(f"{place}/{name}")


@pytest.mark.parametrize(
    ("missing", "answer"),
    [((), "closed"), (("nc", "ncat"), "closed"), (("timeout", "nc", "ncat"), "untried"), (("bash", "nc"), "untried")],
)
def test_a_port_that_nothing_could_try_is_not_called_closed(run, tmp_path, missing, answer):
    machine_without(tmp_path / "only", *missing)
    text = linux_script.script(
        "probe", want_reach="127.0.0.1 9", want_files="", want_work=f"{tmp_path}/work", want_config_input=""
    )
    path = next(line for line in text.splitlines() if line.startswith("PATH="))
    printed, _ = run(text.replace(path, f"PATH={tmp_path}/only"))
    assert f"reach 127.0.0.1 9\t{answer}" in printed.splitlines()


@pytest.mark.parametrize("kind", ["directory", "link"])
def test_a_work_directory_with_secrets_that_a_power_loss_left_is_told_and_removed(run, tmp_path, kind):
    assert f"remains\t{tmp_path}/work" not in probe(run, tmp_path)[0]
    left = tmp_path / ("work" if kind == "directory" else "elsewhere")
    left.mkdir()
    (left / "MobSvc.passphrase").write_text("s3cret")
    if kind == "link":
        (tmp_path / "work").symlink_to(left)
    assert f"remains\t{tmp_path}/work" in probe(run, tmp_path)[0].splitlines()
    call = linux_script.call("remains", "remove_remains", f"{tmp_path}/work")
    assert run(linux_script.script("changes") + call) == ("changed\tremains\t0\n", 0)
    assert not os.path.lexists(tmp_path / "work")
    assert left.exists() == (kind == "link")


def test_the_machine_tells_itself_from_others(run, kit, tmp_path):
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "machine-id").write_text("5f1d without a newline")
    printed, _ = probe(run, tmp_path)
    assert linux_script.lines(kit.answer(printed)).first("machine_id") == "5f1d without a newline"


def test_the_probe_sends_files_byte_for_byte_with_owner_and_mode(run, kit, tmp_path):
    first, second, link = tmp_path / "the first", tmp_path / "second", tmp_path / "link"
    first.write_bytes(bytes(range(256)) * 9 + b"no newline")
    second.write_bytes(b"")
    second.chmod(0o4750)
    link.symlink_to(first)
    printed, _ = probe(run, tmp_path, first, second, link, tmp_path / "absent")
    read = linux_files.read(linux_script.lines(kit.answer(printed)))
    assert linux_files.encoded(read[str(first)].content) == first.read_bytes()
    assert read[str(second)] == seen(second)
    assert read[str(link)] == seen(link, first)
    assert str(tmp_path / "absent") not in read


@pytest.mark.parametrize("data", [b"", b"x", b"127.0.0.1 localhost\n", bytes(range(256)) * 300])
def test_a_sum_is_the_one_that_cksum_prints(data):
    done = subprocess.run(["cksum"], input=data, capture_output=True, check=True)
    assert linux_files.cksum(data) == done.stdout.decode().strip()


def test_a_file_is_replaced_at_once_with_its_mode(run, tmp_path):
    file = tmp_path / "hosts"
    file.write_bytes(b"old\xff\n")
    file.chmod(0o640)
    inode = file.stat().st_ino
    content = "new 'quoted' $HOME `x` \\n \udcff\nno newline"
    assert run(replaced(seen(file), content)) == ("changed\tit\t0\n", 0)
    assert file.read_bytes() == linux_files.encoded(content)
    assert file.stat().st_mode & 0o7777 == 0o640
    assert file.stat().st_ino != inode
    assert sorted(tmp_path.iterdir()) == [file]


def test_a_link_is_written_through_and_a_hard_link_stays_one(run, tmp_path):
    file, link, hard = tmp_path / "file", tmp_path / "link", tmp_path / "hard"
    file.write_text("old\n")
    link.symlink_to(file)
    os.link(file, hard)
    assert run(replaced(seen(link, file), "new\n"))[1] == 0
    assert link.is_symlink()
    assert hard.read_text() == "new\n"
    assert file.stat().st_ino == hard.stat().st_ino


def test_a_file_that_is_no_longer_what_was_seen_is_left(run, tmp_path):
    file = tmp_path / "hosts"
    file.write_text("seen\n")
    text = replaced(seen(file), "new\n")
    file.write_text("theirs\n")
    printed, code = run(text + "echo never\n")
    assert f"said\t{file} is no longer what it was" in printed
    assert printed.endswith("changed\tit\t1\n")
    assert code == 1
    assert file.read_text() == "theirs\n"


def test_a_file_is_made_and_taken_away_again(run, tmp_path):
    file = tmp_path / "cloud.cfg.d" / "99.cfg"
    value = {"content": "x: 1\n", "mode": "0644", "uid": os.getuid(), "gid": os.getgid()}
    made = linux_files.replace_call("it", None, str(file), value)
    assert run(linux_script.script("changes") + made) == ("changed\tit\t0\n", 0)
    assert seen(file).value == value
    assert run(linux_script.script("changes") + made)[1] == 1
    gone = linux_files.replace_call("it", seen(file), str(file), None)
    assert run(linux_script.script("changes") + gone) == ("changed\tit\t0\n", 0)
    assert not file.exists()


def test_a_change_that_fails_midway_tells_its_exit_code_and_ends_the_script(run):
    text = linux_script.script("changes")
    text += "breaks() {\n    echo 'went wrong'\n    false\n    echo 'never here'\n}\n"
    text += linux_script.call("a thing", "breaks") + linux_script.call("another", "true")
    assert run(text) == ("said\twent wrong\nchanged\ta thing\t1\n", 1)


@pytest.fixture
def sshd(tmp_path):
    """Return sshd's settings, and a function that puts stand-ins for sshd and service there."""
    config = tmp_path / "sshd_config"
    config.write_text("PermitRootLogin no\n")
    (tmp_path / "bin").mkdir()

    def stand_ins(accepts="true", reloads="true"):
        for name, verdict in (("sshd", accepts), ("service", reloads)):
            program = tmp_path / "bin" / name
            program.write_text(f'#!/bin/sh\necho "$0 $@" >>{tmp_path}/calls\n{verdict}\n')
            program.chmod(0o755)

    return config, stand_ins


def test_sshd_checks_its_new_settings_and_reads_them(run, sshd, tmp_path):
    config, stand_ins = sshd
    stand_ins()
    assert run(replaced(seen(config), "PermitRootLogin yes\n", "sshd"))[1] == 0
    assert config.read_text() == "PermitRootLogin yes\n"
    calls = (tmp_path / "calls").read_text().splitlines()
    assert [call.replace(f"{tmp_path}/", "") for call in calls] == [
        "bin/sshd -t -f sshd_config",
        "bin/sshd -t -f sshd_config.asr-migrate-new",
        "bin/service sshd reload",
    ]


def test_settings_that_sshd_refuses_are_never_put_in_place(run, sshd):
    config, stand_ins = sshd
    stand_ins(accepts='case $3 in *new) echo "line 1: Bad option"; exit 255 ;; esac')
    printed, code = run(replaced(seen(config), "PermitRootLogn yes\n", "sshd"))
    assert code == 1
    assert "said\tline 1: Bad option\n" in printed
    assert config.read_text() == "PermitRootLogin no\n"
    assert not config.with_name("sshd_config.asr-migrate-new").exists()


def test_settings_come_back_when_sshd_cannot_read_them_again(run, sshd):
    config, stand_ins = sshd
    stand_ins(reloads="exit 1")
    before = seen(config)
    printed, code = run(replaced(before, "PermitRootLogin yes\n", "sshd"))
    assert code == 1
    assert "was put back as it was" in printed
    assert seen(config) == before


def test_an_sshd_without_a_service_is_told_by_its_number(run, sshd, tmp_path):
    config, stand_ins = sshd
    stand_ins(reloads="exit 1")
    told = subprocess.Popen(
        ["sh", "-c", "trap 'exit 7' HUP; echo ready; while :; do sleep 0.05; done"],
        stdout=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),  # a shell cannot trap what nohup ignored
    )
    told.stdout.readline()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "sshd.pid").write_text(f"{told.pid}\n")
    try:
        assert run(replaced(seen(config), "PermitRootLogin yes\n", "sshd"))[1] == 0
        assert told.wait(timeout=10) == 7
    finally:
        told.kill()


def shadow_script(*lines):
    text = "".join(f"{line}\n" for line in lines)
    return linux_script.script("changes") + linux_script.call("root's password", "replace_root_password", stdin=text)


ROOTS = ["!!:16500", "*:", ":0", "$6$rounds=9$a.b$c/d:20000", "!$y$j9T$[x]*\\:1"]


@pytest.mark.parametrize("root", ROOTS)
@pytest.mark.parametrize("end", ["\n", ""])
def test_only_root_s_field_and_day_change_and_come_back_byte_for_byte(run, tmp_path, root, end):
    file = tmp_path / "etc" / "shadow"
    file.parent.mkdir()
    before = f"rooty:x:1:\nroot:{root}:0:99999:7:::\n# odd \\ line\n\ndaemon:*:18000::::::{end}".encode()
    file.write_bytes(before)
    file.chmod(0o400)
    field, day = root.rsplit(":", 1)
    assert run(shadow_script(field, day, "$6$new$x", "20577"))[1] == 0
    assert file.read_bytes() == before.replace(f"root:{root}:".encode(), b"root:$6$new$x:20577:", 1)
    assert run(shadow_script("$6$new$x", "20577", field, day))[1] == 0
    assert file.read_bytes() == before
    assert file.stat().st_mode & 0o7777 == 0o400
    assert sorted(file.parent.iterdir()) == [file]


def test_a_field_that_somebody_else_changed_is_left(run, tmp_path):
    file = tmp_path / "etc" / "shadow"
    file.parent.mkdir()
    file.write_text("root:theirs:1:0:99999:7:::\n")
    printed, code = run(shadow_script("ours", "1", "new", "2"))
    assert code == 1
    assert "is no longer what it was" in printed
    assert file.read_text() == "root:theirs:1:0:99999:7:::\n"
    assert sorted(file.parent.iterdir()) == [file]


@pytest.mark.parametrize(("owner", "code"), [("alive", 1), ("gone", 0)])
def test_the_lock_of_the_shadow_tools_is_respected_while_its_process_lives(run, tmp_path, owner, code):
    file, lock = tmp_path / "etc" / "shadow", tmp_path / "etc" / "shadow.lock"
    file.parent.mkdir()
    file.write_text("root:old:1:0:99999:7:::\n")
    gone = subprocess.Popen(["true"])
    gone.wait()
    lock.write_text(f"{os.getpid() if owner == 'alive' else gone.pid}")
    printed, left = run(shadow_script("old", "1", "new", "2"))
    assert left == code
    assert ("another program is changing passwords" in printed) == (owner == "alive")
    assert lock.exists() == (owner == "alive")


def test_no_content_becomes_an_argument_of_a_program(run):
    assert "builtin" in run("command -V printf\n")[0]


@pytest.mark.parametrize("trap", ["link", "open", "file"])
def test_a_work_directory_that_is_not_ours_alone_is_refused(run, tmp_path, trap):
    work, victim = tmp_path / "work", tmp_path / "victim"
    victim.mkdir(mode=0o700)
    if trap == "link":
        work.symlink_to(victim)
    elif trap == "open":
        work.mkdir()
        work.chmod(0o777)
        (work / "MobSvc.passphrase").symlink_to(victim / "overwritten")
    else:
        work.write_text("")
    text = f"work={work}\npackage=''\nsteps=register\nsource_config=''\npassphrase=s3cret\nserver=''\ncs_type=''\n"
    printed, code = run(f"set -eu\n{text}{linux_script.PRIVATE_DIRECTORY}\n{linux_script.body('mobility')}")
    assert code == 0
    assert printed.startswith(f"rc\tdirectory\t92\nfailed\tdirectory\nsay\t{work} is not a directory")
    assert list(victim.iterdir()) == []
