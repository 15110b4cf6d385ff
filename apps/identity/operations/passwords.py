"""What a password must be like (rules/passwords.py), said in words."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import CommonPasswordValidator

from apps.identity.enums import UserKind
from apps.identity.errors import WeakPassword
from apps.identity.models import User
from apps.identity.rules.passwords import Weakness, weakness_of
from apps.identity.selectors.factors import has_second_factor

_SENTENCES = {
    "too_short": "At least {number} characters; a sentence is good.",
    "too_long": "At most {number} characters.",
    "common": "Everybody tries this password first. Choose another one.",
    "known": "It is made of names that others know. Add words of your own.",
    "pattern": "It is a pattern that is guessed at once. Use several words.",
}


def set_password(
    user: User, password: str, *, now: datetime, field: str = "password"
) -> None:
    """Check and store the new password of a locked user; the caller ends sessions."""
    require_good_password(password, user=user, field=field)
    user.password = make_password(password)
    user.store("password", now=now)


def require_good_password(
    password: str, *, user: User, has_mfa: bool | None = None, field: str = "password"
) -> None:
    """Raise WeakPassword with the reason. Staff always have a second factor.

    `has_mfa` says it where the person is about to lose the factor.
    """
    if has_mfa is None:
        staff = user.kind == UserKind.STAFF
        has_mfa = staff or has_second_factor(user.pk)
    found = weakness_of(
        password,
        has_mfa=has_mfa,
        common=_common(),
        known=(settings.OPERATOR_NAME, user.username, user.email, user.name),
    )
    if found is not None:
        raise WeakPassword(_sentence(found), field=field)


def _sentence(weakness: Weakness) -> str:
    return _SENTENCES[weakness.reason].format(number=weakness.number)


@lru_cache(maxsize=1)
def _common() -> frozenset[str]:
    """The list that ships with Django: some twenty thousand, in lower case."""
    return frozenset(CommonPasswordValidator().passwords)
