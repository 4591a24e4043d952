"""Password fields of /etc/shadow, as tools and the hosts' own chpasswd write them."""

import pytest

from asr_lab.hosts.linux.passwords import password_matches

# Made by crypt(3) of the GNU C library.
CRYPT = (
    "$6$saltstring$u4ed98N8S0VowWgxlyp1fZLseVZfsAn9vcyBwybYRZdnFzh94c1B1DnL8GP8Ri6lEj28MBeBj5Z6cOCd66zW61",
    "Root-Password-1",
)
ROUNDS = (
    "$6$rounds=7000$ab$JF7ma5P4YQM4GQHIpLBVuFDKOOUajfBlgiZslQngSIPUF/gB0ymWTaYqQpZeCPcLegqJGYwVRmiWHHH51ygtr1",
    "pw",
)
LONG = (
    "$6$abcdefghijklmnop$hS6.x2w4anxWHGjXX7i28a6dY/P0WGi0KacxJzfEivO5MUSdPZX.ifrKoLvK2ajBcrtkSsyC6V.5jd5O50FYy1",
    "x" * 70,
)


@pytest.mark.parametrize(("field", "password"), [CRYPT, ROUNDS, LONG])
def test_the_right_password_matches_what_crypt_made(field, password):
    assert password_matches(field, password)
    assert not password_matches(field, password + "x")


@pytest.mark.parametrize("field", ["", "!", "!!", "*", "!" + CRYPT[0], "$1$abc$def", "$5$salt$hash"])
def test_a_locked_or_foreign_field_matches_nothing(field):
    assert not password_matches(field, "Root-Password-1")
