"""The words of catalog. Stored values are part of the API; never rename one."""

from __future__ import annotations

from enum import StrEnum

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class PlanKind(TextChoices):
    INTERNET = "internet", _("Internet")


class PlanBilling(TextChoices):
    POSTPAID = "postpaid", _("Postpaid")
    PREPAID = "prepaid", _("Prepaid")


class PlanState(TextChoices):
    ACTIVE = "active", _("Active")
    RETIRED = "retired", _("Retired")


class OrderState(TextChoices):
    DRAFT = "draft", _("Draft")
    ACCEPTED = "accepted", _("Accepted")
    FULFILLING = "fulfilling", _("Fulfilling")
    FULFILLED = "fulfilled", _("Fulfilled")
    CANCELLED = "cancelled", _("Cancelled")


class ServiceState(TextChoices):
    """What is stored. Suspended and throttled are read from the holds."""

    PENDING = "pending", _("Pending")
    PROVISIONING = "provisioning", _("Provisioning")
    ACTIVE = "active", _("Active")
    TERMINATED = "terminated", _("Terminated")


class ShownState(TextChoices):
    """What people see: the stored state, seen through the account's holds."""

    PENDING = "pending", _("Pending")
    PROVISIONING = "provisioning", _("Provisioning")
    ACTIVE = "active", _("Active")
    SUSPENDED = "suspended", _("Suspended")
    WALLED_GARDEN = "walled_garden", _("Walled garden")
    THROTTLED = "throttled", _("Throttled")
    TERMINATED = "terminated", _("Terminated")


class ProvisioningState(TextChoices):
    """Failed keeps what was done and can be retried; cancelled undid it."""

    QUEUED = "queued", _("Queued")
    RUNNING = "running", _("Running")
    SUCCEEDED = "succeeded", _("Succeeded")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


class StepName(TextChoices):
    OPEN_ACCESS = "open_access", _("Open access")
    ALLOCATE_ADDRESS = "allocate_address", _("Allocate address")
    CHECK = "check", _("Check by Access-Request")


class StepState(TextChoices):
    WAITING = "waiting", _("Waiting")
    DONE = "done", _("Done")
    SKIPPED = "skipped", _("Skipped")
    FAILED = "failed", _("Failed")
    UNDONE = "undone", _("Undone")


class Outcome(StrEnum):
    """How one attempt at a step ended."""

    DONE = "done"
    SKIPPED = "skipped"
    REFUSED = "refused"
    UNANSWERED = "unanswered"
