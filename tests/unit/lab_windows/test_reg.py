"""reg.exe of a simulated host: what it prints and with what it ends."""

import pytest

KEY = r"HKLM\SOFTWARE\Example"
FULL = r"HKEY_LOCAL_MACHINE\SOFTWARE\Example"
NOT_FOUND = "ERROR: The system was unable to find the specified registry key or value.\r\n"


def test_a_value_that_was_added_is_printed_with_type_and_data(run):
    run(f"reg add '{KEY}' /v Count /t REG_DWORD /d 16 /f")
    assert run(f"reg query '{KEY}' /v Count").out == f"\r\n{FULL}\r\n    Count    REG_DWORD    0x10\r\n\r\n"


def test_a_key_is_printed_with_its_values_and_then_its_subkeys(run):
    run(f"reg add '{KEY}' /v Name /d text /f\nreg add '{KEY}\\Below' /f")
    assert run(f"reg query '{KEY}'").out == f"\r\n{FULL}\r\n    Name    REG_SZ    text\r\n\r\n{FULL}\\Below\r\n"


def test_names_are_found_in_any_case(run):
    run(f"reg add '{KEY}' /v Name /d text /f")
    assert run(r"reg query hklm\software\EXAMPLE /v NAME").code == 0


@pytest.mark.parametrize("command", [rf"reg query '{KEY}'", rf"reg query '{KEY}' /v X", rf"reg delete '{KEY}' /v X /f"])
def test_what_is_missing_is_an_error_on_standard_error(run, command):
    result = run(command)
    assert (result.out, result.err, result.code) == ("", NOT_FOUND, 1)


def test_overwriting_without_force_asks_and_changes_nothing(run, host):
    run(f"reg add '{KEY}' /v Name /d first /f")
    assert run(f"reg add '{KEY}' /v Name /d second").code == 1
    assert host.registry.get(KEY, "Name") == "first"


@pytest.mark.parametrize(
    "words",
    [
        "/v Name /t REG_TEXT /d x /f",
        "/v Name /t REG_DWORD /d twelve /f",
        "/v Name /t REG_DWORD /d 4294967296 /f",
        "/v Name /x",
        "/v",
    ],
)
def test_a_wrong_switch_or_value_is_a_syntax_error(run, words):
    result = run(f"reg add '{KEY}' {words}")
    assert result.code == 1
    assert "ERROR: Invalid syntax." in result.err


def test_an_unknown_hive_is_a_syntax_error(run):
    assert "ERROR: Invalid syntax." in run(r"reg query 'HKXX\Software'").err


@pytest.mark.parametrize(
    ("words", "printed"),
    [
        (r"/t REG_MULTI_SZ /d one\0two", r"REG_MULTI_SZ    one\0two"),
        ("/t REG_BINARY /d 00ff", "REG_BINARY    00FF"),
        (r"/t REG_EXPAND_SZ /d %TEMP%", "REG_EXPAND_SZ    %TEMP%"),
        ("/t REG_QWORD /d 0x10", "REG_QWORD    0x10"),
    ],
)
def test_every_type_is_printed_in_its_own_way(run, words, printed):
    run(f"reg add '{KEY}' /v Name {words} /f")
    assert printed in run(f"reg query '{KEY}' /v Name").out


def test_an_unset_default_value_is_named_so(run):
    run(f"reg add '{KEY}' /f")
    assert "    (Default)    REG_SZ    (value not set)\r\n" in run(f"reg query '{KEY}' /ve").out


def test_a_search_below_a_key_counts_what_it_found(run):
    run(f"reg add '{KEY}\\A' /v Name /d x /f\nreg add '{KEY}\\B' /v Name /d y /f")
    assert run(f"reg query '{KEY}' /s /v Name").out.endswith("End of search: 2 match(es) found.\r\n")
    assert run(f"reg query '{KEY}' /s /f y /t REG_SZ").out.endswith("End of search: 1 match(es) found.\r\n")
    assert run(f"reg query '{KEY}' /s /f nothing").code == 1


def test_deleting_a_key_takes_all_below_it(run, host):
    run(f"reg add '{KEY}\\A\\B' /v Name /d x /f\nreg delete '{KEY}' /f")
    assert not host.registry.has(KEY + r"\A\B")


def test_the_32_bit_view_stands_below_wow6432node(run, host):
    run(f"reg add '{KEY}' /v Name /d x /f /reg:32")
    assert host.registry.get(r"HKLM\SOFTWARE\Wow6432Node\Example", "Name") == "x"
