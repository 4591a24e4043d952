"""MySQL's passwords as Unified Setup takes them."""

import pytest

from asr_migrate.hosts.server_passwords import REFUSED_SIGNS, password_problem


@pytest.mark.parametrize("password", ["Passw0rd_", "a1!aaaaa", "A_3456789012345b", "x#1$%@_!"])
def test_a_password_of_the_documented_form_is_fit(password):
    assert password_problem(password) is None


@pytest.mark.parametrize(
    ("password", "told"),
    [
        ("", "8 to 16 characters"),
        ("aB3_567", "8 to 16 characters"),
        ("aB3_5678901234567", "8 to 16 characters"),
        ("Password_", "a digit"),
        ("12345678_", "a letter"),
        ("Passw0rdX", "one of !@#$%_"),
        ("Passw0rd _", "no blank"),
        ("Passw\u00f6rd0_", "plain ASCII"),
        ("Passw0rd_\t", "plain ASCII"),
        ("\u00e4\u00e4\u00e4\u00e4\u00e4\u00e41_", "a letter"),
        ("Password\u0661_", "a digit"),
        *((f"Passw0rd_{sign}", "no blank and none of") for sign in REFUSED_SIGNS),
    ],
)
def test_what_setup_refuses_is_told_without_the_password(password, told):
    problem = password_problem(password)
    assert told in problem
    assert not password or password not in problem
