"""The password hash ``$6$`` of crypt(3): no password reaches a host in the clear, and a second run sees its own work.

Source: "Unix crypt using SHA-256 and SHA-512", Ulrich Drepper, version 0.6, with the default of 5000 rounds.
"""

from __future__ import annotations

import hashlib
import re

ROUNDS = 5000
ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
SALT_LENGTH = 16
#: As many rounds as are calculated here to check a field; crypt(3) allows far more.
MOST_ROUNDS = 100_000

_FIELD = re.compile(r"\$6\$(?:rounds=(?P<rounds>\d+)\$)?(?P<salt>[^$:]{0,16})\$[./0-9A-Za-z]{86}")


def salt_for(host: str, password: str) -> str:
    """Return a salt that is always the same for one host and password, and different for another host.

    ``host`` is what tells it from all others.
    """
    digest = hashlib.sha512(f"{host}\0{password}".encode()).digest()
    return "".join(ALPHABET[byte % 64] for byte in digest[:SALT_LENGTH])


def sha512_crypt(password: str, salt: str, rounds: int | None = None) -> str:
    """Return ``$6$salt$hash``, or ``$6$rounds=N$salt$hash``; ``salt`` is cut to 16 characters, as crypt(3) does."""
    secret, grain = password.encode(), salt[:SALT_LENGTH].encode()
    digest = _first(secret, grain)
    repeated_secret = _stretch(hashlib.sha512(secret * len(secret)).digest(), len(secret))
    repeated_grain = _stretch(hashlib.sha512(grain * (16 + digest[0])).digest(), len(grain))
    for turn in range(rounds or ROUNDS):
        text = repeated_secret if turn % 2 else digest
        text += repeated_grain if turn % 3 else b""
        text += repeated_secret if turn % 7 else b""
        text += digest if turn % 2 else repeated_secret
        digest = hashlib.sha512(text).digest()
    prefix = f"rounds={rounds}$" if rounds else ""
    return f"$6${prefix}{salt[:SALT_LENGTH]}${_spelled(digest)}"


def holds(field: str, password: str) -> bool | None:
    """Return whether a field of /etc/shadow holds ``password``; None for a kind of hash that is not understood here."""
    found = _FIELD.fullmatch(field)
    if not found:
        return None
    rounds = int(found["rounds"]) if found["rounds"] else None
    if rounds and not 1000 <= rounds <= MOST_ROUNDS:
        return None
    return sha512_crypt(password, found["salt"], rounds) == field


def _first(secret: bytes, grain: bytes) -> bytes:
    alternate = hashlib.sha512(secret + grain + secret).digest()
    text = secret + grain + _stretch(alternate, len(secret))
    left = len(secret)
    while left:
        text += alternate if left & 1 else secret
        left >>= 1
    return hashlib.sha512(text).digest()


def _stretch(digest: bytes, length: int) -> bytes:
    return (digest * (length // len(digest) + 1))[:length]


def _spelled(digest: bytes) -> str:
    """Spell 64 bytes: groups of three bytes that start 21 apart and turn, four characters each.

    The last byte makes two.
    """
    text = ""
    places = (0, 21, 42)
    for _ in range(21):
        value = digest[places[0]] << 16 | digest[places[1]] << 8 | digest[places[2]]
        text += "".join(ALPHABET[value >> shift & 63] for shift in (0, 6, 12, 18))
        places = (places[1] + 1, places[2] + 1, places[0] + 1)
    return text + ALPHABET[digest[63] & 63] + ALPHABET[digest[63] >> 6]
