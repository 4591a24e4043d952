"""The password hash of crypt(3)."""

import re

from asr_migrate.hosts.sha512_crypt import salt_for, sha512_crypt


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
