"""Reading of native Windows commands in any version and language."""

from datetime import UTC, datetime

import pytest

from asr_migrate.hosts import windows_output as output


def section(text):
    return output.Section(tuple(text.split("\n")))


def test_an_answer_is_split_at_its_markers_with_the_exit_codes_in_order():
    found = output.sections("noise\r\n@@ a\r\none\r\n@@rc 0\r\n@@rc 1060\r\n@@ b\r\n\r\n  two \r\n@@rc \r\n")
    assert found["a"].exit_codes == (0, 1060)
    assert found["b"].first == "two"
    assert found["b"].exit_codes == (None,)
    assert found["missing"].lines == ()


def test_registry_values_keep_blanks_and_numbers():
    printed = section(
        "\nHKEY_LOCAL_MACHINE\\SOFTWARE\\X\n"
        "    Product Name    REG_SZ    Windows  Server\n    Flag    REG_DWORD    0x1\n"
        "    Empty    REG_SZ    \n    Bare    REG_SZ\nHKEY_LOCAL_MACHINE\\SOFTWARE\\X\\Sub"
    )
    values = output.registry_values(printed)
    assert values == {"product name": "Windows  Server", "flag": "0x1", "empty": "", "bare": ""}
    assert output.number(values, "FLAG") == 1
    assert output.number(values, "empty") is None
    assert output.number(values, "absent") is None
    assert output.registry_subkeys(printed) == ("x", "sub")


def test_service_states_are_read_by_position_in_a_german_windows():
    printed = section(
        "\nDIENSTNAME: W32Time\n        TYP                : 20  WIN32_SHARE_PROCESS\n"
        "        STATUS             : 1  STOPPED\n"
        "[SC] EnumQueryServicesStatus:OpenService FEHLER 1060:\n\nDer angegebene Dienst ist nicht installiert.\n"
        "SERVICE_NAME: InMage Scout Application Service\n"
        "        TYPE               : 110  WIN32_OWN_PROCESS (interactive)\n"
        "        STATE              : 4  RUNNING"
    )
    assert output.service_states(printed) == {"w32time": "stopped", "inmage scout application service": "running"}


def test_a_tree_keeps_each_value_at_its_key_with_its_type():
    printed = section(
        "\nHKEY_LOCAL_MACHINE\\SOFTWARE\\X\n    A    REG_DWORD    0x2\n    Path    REG_EXPAND_SZ    %x%\\y z\n"
        "\nHKEY_LOCAL_MACHINE\\SOFTWARE\\X\\Sub\n    A    REG_SZ    text\n\nHKEY_LOCAL_MACHINE\\SOFTWARE\\X\\Empty\n"
    )
    tree = output.registry_tree(printed)
    top = tree["hkey_local_machine\\software\\x"]
    assert top["a"] == output.RegistryValue("A", "REG_DWORD", "0x2")
    assert top["a"].number == 2
    assert top["path"].data == "%x%\\y z"
    assert tree["hkey_local_machine\\software\\x\\sub"]["a"].number is None
    assert tree["hkey_local_machine\\software\\x\\empty"] == {}


@pytest.mark.parametrize(
    ("printed", "account"),
    [
        ('"app-1\\administrator","S-1-5-21-1-2-3-500"', ("app-1\\administrator", "S-1-5-21-1-2-3-500")),
        ('"corp\\jürgen müller","S-1-5-21-9-9-9-1104"', ("corp\\jürgen müller", "S-1-5-21-9-9-9-1104")),
        ("ERROR: Access is denied.", None),
    ],
)
def test_the_account_is_name_and_sid(printed, account):
    assert output.account(section(printed)) == account


def test_rows_of_wmi_have_their_number_of_columns_or_are_left_out():
    assert output.rows(section("0|1|True\n\nGet-WmiObject : Invalid namespace\n0|2|False\n"), 3) == [
        ("0", "1", "True"),
        ("0", "2", "False"),
    ]


ENGLISH_DISKS = """
Microsoft DiskPart version 6.3.9600

Copyright (C) 1999-2013 Microsoft Corporation.
On computer: APP-1

DISKPART>
  Disk ###  Status         Size     Free     Dyn  Gpt
  --------  -------------  -------  -------  ---  ---
  Disk 0    Online           30 GB      0 B        *
  Disk 1    Online          100 GB  1024 KB   *
* Disk 12   Offline         100 GB      0 B   *    *

DISKPART>
"""
GERMAN_DISKS = """
Microsoft DiskPart-Version 6.1.7601
Auf Computer: APP-1

  Datenträger ###  Status         Größe    Frei     Dyn  GPT
  ---------------  -------------  -------  -------  ---  ---
  Datenträger 0    Online           30 GB      0 B        *
  Datenträger 1    Online          100 GB  1024 KB   *
"""


@pytest.mark.parametrize(("printed", "dynamic"), [(ENGLISH_DISKS, (1, 12)), (GERMAN_DISKS, (1,)), ("", ())])
def test_a_dynamic_disk_is_told_by_the_column_under_the_ruler(printed, dynamic):
    assert output.dynamic_disks(section(printed)) == dynamic


def test_own_addresses_are_those_with_a_parenthesis():
    printed = section(
        "   IPv4-Adresse  . . . . . . . . . . : 10.20.1.11(Bevorzugt)\n   Subnetzmaske . . : 255.255.255.0\n"
        "   Standardgateway . : 10.20.1.1\n   IPv4 Address. . . : 10.20.2.5(Preferred)"
    )
    assert output.own_addresses(printed) == ("10.20.1.11", "10.20.2.5")


@pytest.mark.parametrize(
    "printed",
    [
        "Total # of free bytes        : 14223192064\nTotal # of bytes             : 42947571712",
        "Total free bytes        :  14,223,192,064 ( 13.2 GB)\nTotal bytes             :  42,947,571,712 ( 40.0 GB)",
        "Freie Bytes insgesamt     : 14.223.192.064 (13,2 GB)",
    ],
)
def test_free_bytes_are_the_first_number_with_any_separator(printed):
    assert output.free_bytes(section(printed)) == 14223192064


def test_a_disk_that_is_not_there_has_no_free_bytes():
    assert output.free_bytes(section("Error:  The system cannot find the path specified.")) is None


@pytest.mark.parametrize("between", ["", " "])
def test_a_digest_is_read_with_and_without_blanks(between):
    digest = "ab" * 32
    spelled = between.join(digest[i : i + 2] for i in range(0, 64, 2))
    assert output.sha256(section(f"SHA256 hash of file C:\\x:\n{spelled}\nCertUtil: done")) == digest


def test_a_failed_digest_is_none():
    assert output.sha256(section("CertUtil: -hashfile command FAILED: 0x80070002")) is None


def test_the_time_of_the_host_has_microseconds():
    assert output.utc(section("2023-08-26T02:57:25.1234567Z")) == datetime(2023, 8, 26, 2, 57, 25, 123456, tzinfo=UTC)
    assert output.utc(section("26.08.2023 02:57")) is None


def test_a_port_that_was_not_tried_is_neither_open_nor_closed():
    found = output.sections("@@ reach a 443\nopen\n@@ reach a 9443\nclosed\n")
    tried = output.reached(found, [("a", 443), ("a", 9443), ("b", 443)])
    assert tried == {("a", 443): True, ("a", 9443): False, ("b", 443): None}
