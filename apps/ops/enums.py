from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class EventState(TextChoices):
    PENDING = "pending", _("Pending")
    DONE = "done", _("Done")
    PARKED = "parked", _("Parked")


class JobState(TextChoices):
    QUEUED = "queued", _("Queued")
    RUNNING = "running", _("Running")
    SUCCEEDED = "succeeded", _("Succeeded")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


class MessageState(TextChoices):
    QUEUED = "queued", _("Queued")
    SENDING = "sending", _("Sending")
    SENT = "sent", _("Sent")
    FAILED = "failed", _("Failed")


class ActorKinds(TextChoices):
    """dotmac.core.actors.ActorKind, as filters offer it."""

    STAFF = "staff", _("Staff")
    CUSTOMER = "customer", _("Customer")
    SYSTEM = "system", _("System")


class AuditCheckKind(TextChoices):
    VERIFIED = "verified", _("Verified")
    ANCHORED = "anchored", _("Anchored")


class Channel(TextChoices):
    EMAIL = "email", _("E-mail")
