"""Sessions and usage. Rows are made by radius_accounting() and nobody else.

No foreign key stands on the hot path: the function has just read the NAS and
the account whose ids it writes, and neither is ever deleted. No CHECK either, which
would be read anew in each statement: counters are of domains that cannot be negative,
sql/0046_counts.sql.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from netfields import CidrAddressField, InetAddressField


class SessionFacts(models.Model):
    """One session of one login on one NAS.

    `session_key` is made of the NAS and its session id; a NAS that reuses an id
    after a reboot opens the next `generation` under the same key.
    """

    id = models.BigAutoField(primary_key=True)
    session_key = models.UUIDField()
    generation = models.PositiveIntegerField(default=1, db_default=1)
    account = models.ForeignKey(
        "network.AccessAccount",
        models.DO_NOTHING,
        related_name="+",
        null=True,
        db_constraint=False,
        db_index=False,
    )
    nas = models.ForeignKey(
        "network.Nas",
        models.DO_NOTHING,
        related_name="+",
        null=True,
        db_constraint=False,
        db_index=False,
    )
    login = models.CharField(max_length=253)
    acct_session_id = models.CharField(max_length=253)
    framed_address = InetAddressField(store_prefix_length=False, null=True)
    mac = models.CharField(max_length=64, blank=True, default="", db_default="")
    nas_port = models.CharField(max_length=253, blank=True, default="", db_default="")
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True)
    seconds = models.PositiveIntegerField(default=0, db_default=0)
    octets_in = models.BigIntegerField(default=0, db_default=0)
    octets_out = models.BigIntegerField(default=0, db_default=0)
    cause = models.CharField(max_length=64, blank=True, default="", db_default="")
    # True when only silence closed it: a newer interim reopens the session.
    presumed_ended = models.BooleanField(default=False, db_default=False)
    # Without its Start, the beginning is only what later packets tell.
    start_received = models.BooleanField(default=False, db_default=False)
    # When a packet of it last reached us, by our clock. `seen_at` is when it was
    # sent, by the NAS's, and orders packets.
    heard_at = models.DateTimeField(db_default=Now())
    framed_ipv6 = InetAddressField(store_prefix_length=False, null=True)
    framed_ipv6_prefix = CidrAddressField(null=True)
    delegated_prefix = CidrAddressField(null=True)
    # The line by the access node's name (RFC 4679), and who was called: the
    # access point, the hotspot, the PPPoE service.
    circuit = models.CharField(max_length=253, blank=True, default="", db_default="")
    called = models.CharField(max_length=253, blank=True, default="", db_default="")

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.login} {self.acct_session_id}"


class SessionLive(SessionFacts):
    """A session that is open, or closed a short while ago.

    No index covers a column that an interim update changes, so that each such
    update can stay on its page (HOT); sql/0002 sets the fillfactor.
    """

    class Meta:
        verbose_name = "session"
        constraints = (
            models.UniqueConstraint(
                name="network_sessionlive_one_per_generation",
                fields=("session_key", "generation"),
            ),
        )
        indexes = (
            models.Index(name="network_session_of_account", fields=("account",)),
            models.Index(
                name="network_session_nas",
                fields=("nas",),
                condition=Q(stopped_at__isnull=True),
            ),
            models.Index(name="network_session_started", fields=("-started_at", "-id")),
        )


class SessionHistory(SessionFacts):
    """A closed session, in the partition of the month in which it started."""

    class Meta:
        verbose_name = "past session"
        managed = False
        db_table = "network_sessionhistory"


class UsageHour(models.Model):
    """Octets of one account in one hour of the operator's time zone."""

    pk = models.CompositePrimaryKey("account_id", "hour_at")
    account = models.ForeignKey(
        "network.AccessAccount", models.PROTECT, related_name="+", db_index=False
    )
    hour_at = models.DateTimeField()
    octets_in = models.BigIntegerField(default=0, db_default=0)
    octets_out = models.BigIntegerField(default=0, db_default=0)

    def __str__(self) -> str:
        return f"{self.account_id} {self.hour_at}"
