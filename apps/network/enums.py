"""The words that network's records use."""

from __future__ import annotations

from django.db.models import TextChoices

# The vendors themselves are files, not an enumeration: radius/vendors.
DEFAULT_VENDOR = "mikrotik"


class ReplyMoment(TextChoices):
    """In which state of the account a NAS is told an attribute of its own."""

    ALWAYS = "always", "Always"
    OPEN = "open", "Open"
    THROTTLED = "throttled", "Throttled"
    WALLED = "walled", "In the walled garden"


class PoolUse(TextChoices):
    """What one unit of a pool is to a subscriber."""

    ADDRESS = "address", "An address of the line"
    LINK = "link", "A prefix of the line (Framed-IPv6-Prefix)"
    DELEGATED = "delegated", "A delegated prefix (Delegated-IPv6-Prefix)"
    ROUTED = "routed", "A routed block (Framed-Route)"


class OnLimit(TextChoices):
    """What happens to a login beyond the sessions that a profile allows at once."""

    REFUSE = "refuse", "Refuse the new login"
    REPLACE = "replace", "End the oldest session"


class UsageWindow(TextChoices):
    """Weeks begin on Monday (ISO 8601), months on the first."""

    DAY = "day", "Day"
    WEEK = "week", "Week"
    MONTH = "month", "Month"


class PoolMode(TextChoices):
    """Who hands out the addresses: DotMac, or the NAS from its own pool."""

    DOTMAC = "dotmac", "DotMac (Framed-IP-Address)"
    NAS = "nas", "NAS (Framed-Pool)"


class PrefixKind(TextChoices):
    """A container groups prefixes; a network holds addresses."""

    CONTAINER = "container", "Container"
    NETWORK = "network", "Network"


class AccountKind(TextChoices):
    """What is switched at the edge."""

    RADIUS = "radius", "RADIUS"
    VOICE = "voice", "Voice"
    TV = "tv", "TV"
    EQUIPMENT = "equipment", "Equipment"


class HandleKind(TextChoices):
    """By what a device or a line is known that logs in without a password."""

    MAC = "mac", "MAC address"
    CIRCUIT_ID = "circuit_id", "Agent-Circuit-Id"
    REMOTE_ID = "remote_id", "Agent-Remote-Id"


class HoldReason(TextChoices):
    """Why an account may not connect freely. Each is lifted on its own."""

    NON_PAYMENT = "non_payment", "Non-payment"
    QUOTA = "quota", "Quota used up"
    ABUSE = "abuse", "Abuse"
    VACATION = "vacation", "Vacation"
    ADMIN = "admin", "Administrative"


class HoldEffect(TextChoices):
    """What a hold does, the strictest first."""

    REJECT = "reject", "Reject"
    WALLED_GARDEN = "walled_garden", "Walled garden"
    THROTTLE = "throttle", "Throttle"


class AccessState(TextChoices):
    """What network_access_state() says of an account."""

    OPEN = "open", "Open"
    THROTTLED = "throttled", "Throttled"
    EXPIRED = "expired", "Expired"
    WALLED_GARDEN = "walled_garden", "Walled garden"
    REJECTED = "rejected", "Rejected"
    CLOSED = "closed", "Closed"


class CoaKind(TextChoices):
    """RFC 5176: end the session, or change it while it runs."""

    DISCONNECT = "disconnect", "Disconnect"
    COA = "coa", "Change of authorization"


class CoaState(TextChoices):
    """How far a request to a NAS has come."""

    QUEUED = "queued", "Queued"
    SENDING = "sending", "Sending"
    ACKNOWLEDGED = "acknowledged", "Acknowledged"
    REFUSED = "refused", "Refused by the NAS"
    SILENT = "silent", "No answer"
    OBSOLETE = "obsolete", "Session was gone"


class NasSecretState(TextChoices):
    """How far the change of a NAS's secret has come."""

    PROPOSED = "proposed", "Proposed"
    SCHEDULED = "scheduled", "Scheduled, then waiting for a packet"
    CONFIRMED = "confirmed", "Confirmed by a packet"
    IN_USE = "in_use", "In use"
    ROLLED_BACK = "rolled_back", "Rolled back"


class AttemptReason(TextChoices):
    """Why a login was let in as it was, or refused. Never sent on the wire."""

    OPEN = "open", "Let in"
    THROTTLED = "throttled", "Let in, throttled"
    WALLED_GARDEN = "walled_garden", "Walled garden"
    EXPIRED = "expired", "Walled garden: expired"
    CACHED = "cached", "Let in without the database"
    HOLD = "hold", "A hold refuses it"
    MAC = "mac", "Another device"
    SESSIONS = "sessions", "Too many sessions"
    PASSWORD = "password", "Wrong password"
    METHOD = "method", "No common method, or the device broke off"
    UNKNOWN = "unknown", "No such login"


class ImportSource(TextChoices):
    """What the users were read from."""

    RADIUS = "radius", "FreeRADIUS's tables"
    USER_MANAGER = "user_manager", "MikroTik User Manager"


class ImportState(TextChoices):
    """How far an import has come."""

    PREVIEW = "preview", "Waits for a decision"
    RUNNING = "running", "Opens accounts"
    DONE = "done", "Done"
    UNDOING = "undoing", "Is taken back"
    UNDONE = "undone", "Taken back"
    DISCARDED = "discarded", "Thrown away"


class ImportRowState(TextChoices):
    """What becomes of one user of the old server."""

    READY = "ready", "Ready"
    REFUSED = "refused", "Not imported"
    OPENED = "opened", "Opened"
    CLOSED = "closed", "Taken back"


class ComparisonVerdict(TextChoices):
    """Whether both servers answer a login alike."""

    SAME = "same", "The same"
    DIFFERENT = "different", "Different"
    SILENT = "silent", "No answer"
