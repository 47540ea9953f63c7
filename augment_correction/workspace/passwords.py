"""Passwords: long ones, with no rule about what is in them, kept as Argon2id."""

from __future__ import annotations

import os
from functools import cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from augment_correction.workspace.problems import Invalid

SHORTEST, LONGEST = 15, 256
_FRAGMENTS = [
    "password",
    "passwort",
    "passwd",
    "pass",
    "word",
    "motdepasse",
    "contrasena",
    "letmein",
    "welcome",
    "willkommen",
    "bonjour",
    "admin",
    "administrator",
    "root",
    "user",
    "login",
    "secret",
    "geheim",
    "qwerty",
    "qwertz",
    "azerty",
    "qwertyuiop",
    "asdfgh",
    "asdfghjkl",
    "zxcvbn",
    "zxcvbnm",
    "yxcvbn",
    "abc",
    "abcd",
    "abcde",
    "abcdef",
    "abcdefg",
    "abcdefgh",
    "iloveyou",
    "love",
    "monkey",
    "dragon",
    "sunshine",
    "princess",
    "football",
    "baseball",
    "basketball",
    "master",
    "shadow",
    "superman",
    "batman",
    "trustno",
    "changeme",
    "default",
    "test",
    "testing",
    "temp",
    "guest",
    "hello",
    "summer",
    "winter",
    "spring",
    "autumn",
    "monday",
    "friday",
    "january",
    "december",
    "the",
    "is",
    "my",
    "a",
    "i",
    "and",
    "correction",
    "workspace",
    "augment",
    "company",
]
"""Words and runs that head every published list of leaked passwords. A list of the leaked ones themselves is not shipped: none has
a licence that allows it."""


_AT_A_TIME = BoundedSemaphore(max(2, os.cpu_count() or 1))
"""Each takes 64 MiB and a processor: 40 logins at a time, of anybody, took 2.5 GB."""


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()  # RFC 9106's second choice: 64 MiB, 3 passes


@cache
def _nobodys() -> str:
    return _hasher().hash("the password of an account that does not exist")


def hashed(password: str) -> str:
    with _AT_A_TIME:
        return _hasher().hash(password)


def matches(kept: str, password: str) -> bool:
    """Takes its time for an empty `kept`, too, so that nobody learns by the clock which accounts exist."""
    try:
        with _AT_A_TIME:
            return _hasher().verify(kept or _nobodys(), password) and bool(kept)
    except (VerifyMismatchError, VerificationError, InvalidHashError):
        return False


def _is_well_known(plain: str) -> bool:
    """Whether it is nothing but such words and what is no letter. Place by place and not by a regular expression, which tries all ways to
    cut `password` into words: 200 characters of it took a quarter of an hour."""
    reached = {0}
    for place, sign in enumerate(plain):
        if place in reached:
            reached |= {place + len(word) for word in _FRAGMENTS if plain.startswith(word, place)}
            if not "a" <= sign <= "z":
                reached.add(place + 1)
    return len(plain) in reached


def check(password: str, *, email: str = "", name: str = "") -> None:
    """Raises: Invalid with what to do."""
    if len(password) < SHORTEST:
        raise Invalid(
            f"The password has {len(password)} characters and needs {SHORTEST} or more. Four or five words that do not belong "
            "together are easy to remember.",
            field="password",
        )
    if len(password) > LONGEST:
        raise Invalid(f"The password is longer than {LONGEST} characters.", field="password")
    plain = password.casefold()
    own = [part for part in (email.partition("@")[0].casefold(), name.casefold()) if len(part) > 3]
    for part in own:
        plain = plain.replace(part, "")
    if len(set(password)) < 5 or _is_well_known(plain):
        raise Invalid(
            "This password consists of common words or sequences, or of your own name. Choose another one.",
            field="password",
        )
