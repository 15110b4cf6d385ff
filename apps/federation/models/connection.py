"""Identity providers that people come in through, and what they brought."""

from __future__ import annotations

from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from apps.federation.enums import ConnectionKind
from apps.identity.enums import UserKind
from dotmac.core.models import Record, SealedField

# A month: whoever left the provider's company keeps nothing for longer.
ROLE_HOURS_MAX = 720


class ConnectionQuerySet(models.QuerySet["Connection"]):
    def locked(self) -> Self:
        """Rows held until commit, in the order of their keys."""
        return self.select_for_update(of=("self",), no_key=True).order_by("pk")


class Connection(Record):
    """One identity provider, for staff or for customers.

    Only identity providers that an owner trusts stand here: who runs one says who
    the people of its domains are.
    """

    slug = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=8, choices=ConnectionKind)
    audience = models.CharField(max_length=16, choices=UserKind)
    # The issuer of OpenID Connect, or the entity id of SAML.
    issuer = models.CharField(max_length=500)
    client_id = models.CharField(max_length=255, blank=True)
    secret = SealedField(null=True)  # type: ignore[misc]
    sso_url = models.CharField(max_length=500, blank=True)
    metadata_url = models.CharField(max_length=500, blank=True)
    certificates = models.TextField(blank=True)
    domains = ArrayField(models.CharField(max_length=253), size=50)
    group_claim = models.CharField(max_length=150, default="groups")
    extra_scopes = models.CharField(max_length=200, blank=True)
    mfa_words = models.CharField(max_length=300, blank=True)
    makes_accounts = models.BooleanField(default=False)
    trusts_mfa = models.BooleanField(default=False)
    trusts_email = models.BooleanField(default=False)
    # How long roles that groups give outlive the latest sign-in through here.
    role_hours = models.PositiveSmallIntegerField(default=24)
    is_active = models.BooleanField(default=False)
    checked_at = models.DateTimeField(null=True, blank=True)
    check_says = models.CharField(max_length=300, blank=True)

    objects = ConnectionQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="federation_connection_names_domains",
                condition=Q(domains__len__gt=0),
            ),
            models.CheckConstraint(
                name="federation_connection_kind_known",
                condition=Q(kind=ConnectionKind.OIDC, sso_url="", certificates="")
                & ~Q(client_id="")
                | Q(kind=ConnectionKind.SAML, client_id="", secret__isnull=True)
                & ~Q(sso_url="")
                & ~Q(certificates=""),
            ),
            models.CheckConstraint(
                name="federation_connection_roles_lapse",
                condition=Q(role_hours__range=(1, ROLE_HOURS_MAX)),
            ),
            models.CheckConstraint(
                name="federation_connection_audience_known",
                condition=Q(audience__in=UserKind.values),
            ),
            models.CheckConstraint(
                name="federation_connection_checked_before_use",
                condition=Q(is_active=False) | Q(checked_at__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return self.slug


class GroupRole(Record):
    """Members of a group at the provider hold a role in a unit, while they are."""

    connection = models.ForeignKey(
        Connection, models.CASCADE, related_name="+", db_index=False
    )
    group = models.CharField(max_length=255)
    role = models.ForeignKey("identity.Role", models.CASCADE, related_name="+")
    unit = models.ForeignKey(
        "identity.OrganisationUnit", models.PROTECT, related_name="+"
    )

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("connection", "group", "role", "unit"),
                name="federation_grouprole_once",
            ),
        )

    def __str__(self) -> str:
        return f"{self.group} {self.role_id} {self.unit_id}"


class LinkedPerson(Record):
    """A person at the provider, by its subject there, is a user here."""

    connection = models.ForeignKey(
        Connection, models.PROTECT, related_name="+", db_index=False
    )
    subject = models.CharField(max_length=255)
    user = models.ForeignKey("identity.User", models.CASCADE, related_name="+")
    email = models.EmailField()
    made_account = models.BooleanField(default=False)
    groups = ArrayField(models.CharField(max_length=255), default=list)
    seen_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("connection", "subject"), name="federation_linkedperson_once"
            ),
            models.UniqueConstraint(
                fields=("connection", "user"), name="federation_linkedperson_one_user"
            ),
        )

    def __str__(self) -> str:
        return self.email


class GivenRole(models.Model):
    """A role that somebody holds because of a group, and loses with it."""

    id = models.BigAutoField(primary_key=True)
    person = models.ForeignKey(
        LinkedPerson, models.CASCADE, related_name="+", db_index=False
    )
    role = models.ForeignKey("identity.Role", models.CASCADE, related_name="+")
    unit = models.ForeignKey(
        "identity.OrganisationUnit", models.PROTECT, related_name="+"
    )

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("person", "role", "unit"), name="federation_givenrole_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.person_id} {self.role_id} {self.unit_id}"


class SignInFlow(Record):
    """One way to a provider and back, for one browser, for ten minutes.

    `answer` is what a SAML assertion said, until the browser comes for it with the
    word that only the browser was told which brought the assertion.
    """

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="+")
    nonce = models.CharField(max_length=32)
    next = models.CharField(max_length=2000, blank=True)
    answer = SealedField(null=True)  # type: ignore[misc]
    answer_digest = models.CharField(max_length=64, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"flow {self.pk}"
