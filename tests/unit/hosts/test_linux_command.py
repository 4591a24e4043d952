"""Command lines for a Linux host: as root by its own sudo, and with standard input from a file; run by real shells."""

import os
import shutil
import subprocess

import pytest

from asr_migrate.hosts import linux_command, linux_script

SHELLS = [shell for shell in ("dash", "bash") if shutil.which(shell)] or ["sh"]
PASSWORD = 'it\'s a $PATH \\of "words" `x`'
SCRIPT = "set -eu\necho as-$WHO\ncat <<'E'\nthe script's own input\nE\n"
#: A sudo that asks as the real one does: three times, a line each, of standard input, where it may.
SUDO = """#!/bin/sh
echo "sudo $*" >>{log}
stdin=
while :; do
    case $1 in
    -n) [ {asks} = no ] || {{ echo 'sudo: a password is required' >&2; exit 1; }}; shift ;;
    -S) stdin=yes; shift ;;
    -p) shift 2 ;;
    *) break ;;
    esac
done
if [ {asks} = yes ]; then
    [ "$stdin" ] || {{ echo 'sudo: a terminal is required' >&2; exit 1; }}
    for try in 1 2 3; do
        IFS= read -r typed || {{ echo 'sudo: no password was provided' >&2; exit 1; }}
        echo tried >>{log}
        [ "$typed" = "$(cat {password})" ] && break
        echo 'Sorry, try again.' >&2
        [ $try != 3 ] || exit 1
    done
fi
WHO=root exec "$@"
"""


class Host:
    """A user of number ``uid`` whose sudo ``asks`` for a password; ``WHO`` is root below sudo."""

    def __init__(self, directory, shell, uid="1000", asks="no"):
        self.home, self.log, self._shell = directory / "home", directory / "log", shell
        programs, password = directory / "bin", directory / "password"
        self.home.mkdir()
        programs.mkdir()
        password.write_text(PASSWORD)
        self.log.touch()
        for name, text in (
            ("sudo", SUDO.format(log=self.log, asks=asks, password=password)),
            ("id", f"#!/bin/sh\necho {uid}\n"),
        ):
            (programs / name).write_text(text)
            (programs / name).chmod(0o755)
        (programs / "sh").symlink_to(shutil.which(shell))
        who = "root" if uid == "0" else "user"
        self._environment = {"PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(self.home), "WHO": who}

    def run(self, command, stdin):
        return subprocess.run(
            [self._shell, "-c", command], input=stdin, capture_output=True, env=self._environment, check=False
        )

    def root(self, sudo=None, password=""):
        """Run SCRIPT as root; return what it printed."""
        command, first = linux_command.as_root("sh", sudo=sudo, password=password)
        return self.run(command, first + SCRIPT.encode())


@pytest.fixture(params=SHELLS)
def host(request, tmp_path):
    return lambda **how: Host(tmp_path, request.param, **how)


DONE = b"the script's own input\n"


@pytest.mark.parametrize("password", ["", PASSWORD])
def test_root_needs_no_sudo(host, password):
    root = host(uid="0", asks="yes")
    assert root.root(password=password).stdout == b"as-root\n" + DONE
    assert root.log.read_text() == ""


@pytest.mark.parametrize("password", ["", PASSWORD])
@pytest.mark.parametrize("sudo", [None, True])
def test_another_user_becomes_root_without_a_password_also_when_one_was_given(host, sudo, password):
    done = host().root(sudo, password)
    assert (done.stdout, done.stderr, done.returncode) == (b"as-root\n" + DONE, b"", 0)


@pytest.mark.parametrize("sudo", [None, True])
def test_the_password_that_sudo_asks_for_comes_from_standard_input_and_stands_in_no_argument(host, sudo):
    user = host(asks="yes")
    done = user.root(sudo, PASSWORD)
    assert (done.stdout, done.stderr, done.returncode) == (b"as-root\n" + DONE, b"", 0)
    assert PASSWORD not in linux_command.as_root("sh", sudo=sudo, password=PASSWORD)[0]
    assert PASSWORD not in user.log.read_text()


def test_a_wrong_password_is_tried_once_and_nothing_is_run(host):
    user = host(asks="yes")
    done = user.root(password="another")
    assert (done.stdout, done.returncode != 0) == (b"", True)
    assert b"no password was provided" in done.stderr
    assert user.log.read_text().count("tried") == 1


def test_without_a_password_sudo_that_asks_for_one_says_so(host):
    done = host(asks="yes").root()
    assert done.stdout == b""
    assert b"a password is required" in done.stderr


def test_without_sudo_the_user_stays(host):
    user = host()
    assert user.root(sudo=False).stdout == b"as-user\n" + DONE
    assert user.log.read_text() == ""


def test_a_command_with_words_of_its_own_is_run_as_they_are(host):
    command, first = linux_command.as_root("sh -c 'cat; echo \"$WHO'\\''s\"'", sudo=None, password=PASSWORD)
    assert host(asks="yes").run(command, first + b"a package\n").stdout == b"a package\nroot's\n"


@pytest.mark.parametrize("password", ["", PASSWORD])
def test_a_file_in_the_inbox_is_gone_before_the_command_starts(host, password):
    user = host(asks="yes" if password else "no")
    stale = user.home / ".asr-migrate" / "of a broken connection"
    stale.parent.mkdir()
    stale.write_text("a secret")
    inbox = user.run(linux_command.make_inbox(), b"").stdout.decode().strip()
    assert inbox == str(stale.parent)
    assert (stale.exists(), stale.parent.stat().st_mode & 0o777) == (False, 0o700)
    command, first = linux_command.as_root("sh", sudo=None, password=password)
    (stale.parent / "in").write_bytes(first + f"ls -A {user.home}\n{SCRIPT}".encode())
    done = user.run(linux_command.from_inbox(command, f"{inbox}/in"), None)
    assert (done.stdout, done.stderr) == (b"as-root\n" + DONE, b"")


@pytest.mark.parametrize(
    ("said", "heard", "remedy"),
    [
        ("sudo: a password is required\n", "a password is required", "Give ansible_become_password"),
        ("sudo: sorry, you must have a tty to run sudo\n", "must have a tty", "!requiretty"),
        ("sudo: no tty present and no askpass program specified\n", "no tty present", "!requiretty"),
        ("Sorry, try again.\nsudo: 1 incorrect password attempt\n", "1 incorrect", "Correct the password"),
        ("sh: 1: exec: sudo: not found\n", "not found", "Install sudo"),
        ("We trust you\n\nuser is not in the sudoers file.  This incident will be reported.\nsudo: x\n", "sudo", "ALL"),
    ],
)
def test_what_sudo_says_is_quoted_with_what_to_do(kit, said, heard, remedy):
    refused = linux_script.unreadable(kit.answer("", said, 1))
    assert refused.code == "HostSudoRefused"
    assert heard in refused.message
    assert remedy in refused.remedy


def test_a_banner_alone_is_not_taken_for_sudo(kit):
    assert linux_script.unreadable(kit.answer("", "Permission denied", 1)).code == "HostNotReadable"
