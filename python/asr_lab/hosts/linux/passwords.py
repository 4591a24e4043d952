"""Whether a password is that of a password field of /etc/shadow.

Two kinds of field are known, both written ``$6$salt$hash``: SHA-512 of crypt(3), which tools make (Ulrich Drepper,
"Unix crypt using SHA-256 and SHA-512"), and the salted SHA-512 in hexadecimal that the hosts' own chpasswd makes.
"""

import hashlib
import hmac
import re

ROUNDS = 5000
DIGITS = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
FIELD = re.compile(r"\$6\$(?:rounds=(?P<rounds>\d+)\$)?(?P<salt>[^$]*)\$(?P<hash>[^$]+)")


def password_matches(field: str, password: str) -> bool:
    """Whether ``field`` is for ``password``; a locked, empty or foreign field matches nothing."""
    found = FIELD.fullmatch(field)
    if not found:
        return False
    salt, secret = found["salt"].encode(), password.encode()
    if len(found["hash"]) == hashlib.sha512().digest_size * 2:
        return hmac.compare_digest(hashlib.sha512(salt + secret).hexdigest(), found["hash"])
    return hmac.compare_digest(_crypt(secret, salt[:16], int(found["rounds"] or ROUNDS)), found["hash"])


def _crypt(secret: bytes, salt: bytes, rounds: int) -> str:
    """Return the hash part of SHA-512 crypt."""
    inner = hashlib.sha512(secret + salt + secret).digest()
    start = hashlib.sha512(secret + salt + _fill(inner, len(secret)))
    for bit in range(len(secret).bit_length()):
        start.update(inner if len(secret) >> bit & 1 else secret)
    state = start.digest()
    by_secret = _fill(hashlib.sha512(secret * len(secret)).digest(), len(secret))
    by_salt = _fill(hashlib.sha512(salt * (16 + state[0])).digest(), len(salt))
    for turn in range(rounds):
        step = hashlib.sha512(by_secret if turn & 1 else state)
        if turn % 3:
            step.update(by_salt)
        if turn % 7:
            step.update(by_secret)
        step.update(state if turn & 1 else by_secret)
        state = step.digest()
    return _digits(state)


def _fill(pattern: bytes, length: int) -> bytes:
    return (pattern * (length // len(pattern) + 1))[:length]


def _digits(state: bytes) -> str:
    """Write 64 bytes as 86 digits of six bits: threes of bytes, each three beginning one place further round."""
    text = ""
    for number in range(21):
        order = [number, number + 21, number + 42]
        turned = order[number % 3 :] + order[: number % 3]
        value = int.from_bytes(bytes(state[place] for place in turned), "big")
        text += "".join(DIGITS[value >> shift & 63] for shift in (0, 6, 12, 18))
    return text + DIGITS[state[63] & 63] + DIGITS[state[63] >> 6]
