"""What a password must be like (settings AUTH_PASSWORD_VALIDATORS)."""

from __future__ import annotations

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from apps.identity.errors import WeakPassword
from apps.identity.operations.sign_in import PASSWORD_CHARACTERS_MAX


def require_good_password(password: str) -> None:
    """Raise WeakPassword with the reasons."""
    if len(password) > PASSWORD_CHARACTERS_MAX:
        raise WeakPassword(
            f"At most {PASSWORD_CHARACTERS_MAX} characters.", field="password"
        )
    try:
        validate_password(password)
    except ValidationError as error:
        raise WeakPassword(" ".join(error.messages), field="password") from error
