"""What Unified Setup asks of MySQL's passwords.

Source: Microsoft's published sources of Unified Setup (validation of the credentials file). Older versions, and the
guide of their time, took passwords that this rule refuses, such as those with ``~``; one that it takes is good for
them all.
"""

from __future__ import annotations

SHORTEST, LONGEST = 8, 16
NEEDED_SIGNS = "!@#$%_"
REFUSED_SIGNS = "~'^&*()+=-/\\:;{}[]|?<>,.\""
#: What such a password is like; a remedy, and a line of the documentation.
RULE = (
    f"{SHORTEST} to {LONGEST} characters of plain ASCII with a letter, a digit and one of {NEEDED_SIGNS}, without "
    f"blanks and without {REFUSED_SIGNS}"
)


def password_problem(password: str) -> str | None:
    """Return what setup would refuse in a password, never with any of it; None when it is fit."""
    wrong = []
    if not SHORTEST <= len(password) <= LONGEST:
        wrong.append(f"must have {SHORTEST} to {LONGEST} characters")
    if not (password.isascii() and password.isprintable()):
        wrong.append("must be plain ASCII")
    if not any(sign.isascii() and sign.isdigit() for sign in password):
        wrong.append("must hold a digit")
    if not any(sign.isascii() and sign.isalpha() for sign in password):
        wrong.append("must hold a letter")
    if not any(sign in NEEDED_SIGNS for sign in password):
        wrong.append(f"must hold one of {NEEDED_SIGNS}")
    if any(sign == " " or sign in REFUSED_SIGNS for sign in password):
        wrong.append(f"must hold no blank and none of {REFUSED_SIGNS}")
    return ", ".join(wrong) or None
