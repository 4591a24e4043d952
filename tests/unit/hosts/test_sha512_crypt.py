"""The password hash of crypt(3)."""

import re

import pytest

from asr_migrate.hosts.sha512_crypt import holds, salt_for, sha512_crypt

TEN_THOUSAND = (
    "$6$rounds=10000$saltstringsaltst$"
    "OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/UrjmM0Dp8vOuZeHBy/YTBmSK6H9qs/y3RnOaw5v."
)


def test_the_specification_s_own_example_comes_out():
    assert sha512_crypt("Hello world!", "saltstring") == (
        "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1"
    )


def test_a_long_password_uses_every_byte():
    assert sha512_crypt("x" * 70, "salt") != sha512_crypt("x" * 71, "salt")


def test_the_salt_belongs_to_host_and_password():
    salt = salt_for("db-1", "secret")
    assert re.fullmatch(r"[./0-9A-Za-z]{16}", salt)
    assert salt == salt_for("db-1", "secret")
    assert salt != salt_for("db-2", "secret")
    assert salt != salt_for("db-1", "other")


def test_another_number_of_rounds_stands_in_the_field():
    assert sha512_crypt("Hello world!", "saltstringsaltstring", 10000) == TEN_THOUSAND


@pytest.mark.parametrize(
    ("field", "password", "verdict"),
    [
        (TEN_THOUSAND, "Hello world!", True),
        (TEN_THOUSAND, "Hello world", False),
        (sha512_crypt("x", ""), "x", True),
        ("!" + TEN_THOUSAND, "Hello world!", None),
        (TEN_THOUSAND.replace("10000", "999999999"), "Hello world!", None),
        ("$y$j9T$abc$def", "x", None),
        ("*", "x", None),
        ("", "", None),
    ],
)
def test_a_field_is_checked_without_writing_it_anew(field, password, verdict):
    assert holds(field, password) is verdict
