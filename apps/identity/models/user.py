"""People who sign in: staff and customers alike."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from apps.identity.enums import UserKind
from dotmac.core.models import Record

# Of sign-in names that nobody chose: such people sign in by their address.
MADE_PREFIX = "person."


class UserManager(BaseUserManager["User"]):
    """What Django's own code asks of a user model's manager."""

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(username=(username or "").lower())

    def locked(self) -> models.QuerySet[User]:
        """Rows held until commit, in the order of their keys."""
        return self.select_for_update(of=("self",), no_key=True).order_by("pk")


class User(AbstractBaseUser, Record):
    """One person who may sign in; roles or memberships say what they may do.

    `is_superuser` opens the stock admin site and nothing else: the console and
    the API ask roles. Only identity.operations writes here.
    """

    username = models.CharField(max_length=150, unique=True)
    email = models.EmailField(blank=True)
    name = models.CharField(max_length=150)
    kind = models.CharField(max_length=16, choices=UserKind)
    is_active = models.BooleanField(default=True)
    is_superuser = models.BooleanField(default=False)
    # A sign-in is a Session row; this column of Django's base has no use here.
    last_login = None

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["email", "name"]

    class Meta:
        constraints = (
            models.UniqueConstraint(
                Lower("email"), name="identity_user_email_once", condition=~Q(email="")
            ),
            models.CheckConstraint(
                name="identity_user_username_lower",
                condition=Q(username=Lower(F("username"))) & ~Q(username=""),
            ),
            models.CheckConstraint(
                name="identity_user_superuser_is_staff",
                condition=Q(is_superuser=False) | Q(kind=UserKind.STAFF),
            ),
        )

    def __str__(self) -> str:
        return self.username

    @property
    def sign_in_name(self) -> str:
        """What the person types to sign in, and is called on pages."""
        made = self.username.startswith(MADE_PREFIX)
        return self.email if made and self.email else self.username

    @property
    def is_staff(self) -> bool:
        """Who may open the admin site; its MFA is checked by the site."""
        return self.is_superuser and self.is_active

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Django's admin asks this; everything else asks the actor."""
        return self.is_staff

    def has_perms(self, perm_list: Any, obj: Any = None) -> bool:
        return self.is_staff

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_staff

    def get_all_permissions(self, obj: Any = None) -> set[str]:
        return set()
