"""Quoting for the two shells: what is passed arrives as it was, or is refused."""

import subprocess

import pytest

from asr_migrate.domain.errors import InputError
from asr_migrate.hosts.quoting import cmd_path, native, posix, powershell


@pytest.mark.parametrize("text", ["plain", "two words", "it's", '$HOME `id` \\ "x"', "*?[a]", "line\nbreak", "", "-n"])
def test_a_posix_shell_gets_the_text_as_it_is(text):
    echoed = subprocess.run(["sh", "-c", f"printf '%s' {posix(text)}"], capture_output=True, text=True, check=True)
    assert echoed.stdout == text


def test_a_posix_word_holds_no_nul():
    with pytest.raises(InputError):
        posix("a\0b")


@pytest.mark.parametrize(
    ("text", "quoted"),
    [("plain", "'plain'"), ("it's", "'it''s'"), ("$x", "'$x'"), ("a\u2019b", "'a\u2019\u2019b'"), ("", "''")],
)
def test_a_powershell_string_doubles_every_kind_of_single_quote(text, quoted):
    assert powershell(text) == quoted


def test_a_powershell_string_holds_no_line_break():
    with pytest.raises(InputError, match="cannot be passed safely"):
        powershell("a\nb")


def test_native_arguments_are_single_quoted_words():
    assert native("/x:C:\\a b", "D:\\") == "'/x:C:\\a b' 'D:\\'"


@pytest.mark.parametrize("argument", ["", 'say "x"', "C:\\Program Files\\"])
def test_native_arguments_that_windows_powershell_would_pass_wrong_are_refused(argument):
    with pytest.raises(InputError) as refused:
        native(argument)
    assert refused.value.remedy


def test_a_path_for_cmd_is_plain():
    assert cmd_path("C:\\ProgramData\\x-1\\*") == "C:\\ProgramData\\x-1\\*"
    for wrong in ("C:\\a b", "a&b", "", "a%b%"):
        with pytest.raises(InputError):
            cmd_path(wrong)
