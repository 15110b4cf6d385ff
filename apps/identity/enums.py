"""The words of identity: kinds and states people and programs see."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class UserKind(TextChoices):
    STAFF = "staff", _("Staff")
    CUSTOMER = "customer", _("Customer")


class UnitKind(TextChoices):
    OPERATOR = "operator", _("Operator")
    BRANCH = "branch", _("Branch")
    RESELLER = "reseller", _("Reseller")


class CustomerKind(TextChoices):
    INDIVIDUAL = "individual", _("Individual")
    BUSINESS = "business", _("Business")


class CustomerState(TextChoices):
    LEAD = "lead", _("Lead")
    PROSPECT = "prospect", _("Prospect")
    ACTIVE = "active", _("Active")
    DORMANT = "dormant", _("Dormant")
    CLOSED = "closed", _("Closed")


# As which a customer begins, and which units may be added.
FIRST_STATES = [
    (state.value, state.label) for state in (CustomerState.LEAD, CustomerState.PROSPECT)
]
LOWER_UNITS = [
    (kind.value, kind.label) for kind in (UnitKind.BRANCH, UnitKind.RESELLER)
]


class MemberRights(TextChoices):
    """What a portal user may do for a customer."""

    FULL = "full", _("Everything")
    BILLING = "billing", _("Bills and payments")
    VIEW = "view", _("Look only")


class ContactRole(TextChoices):
    GENERAL = "general", _("General")
    BILLING = "billing", _("Billing")
    TECHNICAL = "technical", _("Technical")


class Serviceability(TextChoices):
    """Whether a place can be served; unknown until somebody looked."""

    UNKNOWN = "unknown", _("Not checked")
    YES = "yes", _("Can be served")
    NO = "no", _("Cannot be served")
    SURVEY = "survey", _("Survey needed")


class FieldKind(TextChoices):
    """What the values of an operator's own field are."""

    TEXT = "text", _("Text")
    NUMBER = "number", _("Number")
    DATE = "date", _("Date")
    CHOICE = "choice", _("Choice")
    BOOLEAN = "boolean", _("Yes or no")


class TagColour(TextChoices):
    GREY = "grey", _("Grey")
    BLUE = "blue", _("Blue")
    GREEN = "green", _("Green")
    AMBER = "amber", _("Amber")
    RED = "red", _("Red")


class SessionFace(TextChoices):
    """Through which door a session came in."""

    CONSOLE = "console", _("Console")
    PORTAL = "portal", _("Portal")
    API = "api", _("API")


class SessionStage(TextChoices):
    """How far a session got: only a full one works.

    password: the one-time code is still owed. enrolment: the person came by an
    invitation, or has no device yet, and may only set up sign-in.
    """

    PASSWORD = "password", _("Code owed")
    ENROLMENT = "enrolment", _("Enrolment")
    FULL = "full", _("Signed in")


class SessionEnd(TextChoices):
    SIGNED_OUT = "signed_out", _("Signed out")
    REPLACED = "replaced", _("Replaced by a new sign-in")
    REFRESH_REUSED = "refresh_reused", _("A refresh token was used twice")
    DEACTIVATED = "deactivated", _("The user was deactivated")
    CREDENTIALS_CHANGED = "credentials_changed", _("Password or device changed")
    REVOKED = "revoked", _("Ended by staff")
    ENDED_ELSEWHERE = "ended_elsewhere", _("Ended from another sign-in")


class LinkPurpose(TextChoices):
    """What a one-time link in a mail is for."""

    RESET_PASSWORD = "reset_password", _("New password")
    CONFIRM_EMAIL = "confirm_email", _("Confirm the e-mail address")
    JOIN_PORTAL = "join_portal", _("Invitation to the portal")
    JOIN_ACCOUNT = "join_account", _("Invitation to another account")


class CeremonyPurpose(TextChoices):
    """What a browser answers a passkey's challenge for."""

    SIGN_IN = "sign_in", _("Sign in")
    REGISTER = "register", _("Add a passkey")
    CONFIRM = "confirm", _("Confirm who you are")


class DocumentKind(TextChoices):
    """What a paper of a customer is."""

    IDENTITY = "identity", _("Proof of identity")
    ADDRESS = "address", _("Proof of address")
    CONTRACT = "contract", _("Contract")
    OTHER = "other", _("Something else")


class RuleEffect(TextChoices):
    """deny: refuses where the expression is true. require: unless it is true."""

    DENY = "deny", _("Refuses where it is true")
    REQUIRE = "require", _("Refuses unless it is true")


class RuleState(TextChoices):
    """A rule on trial is evaluated and counted, and refuses nobody."""

    DRAFT = "draft", _("Draft")
    TRIAL = "trial", _("On trial")
    ON = "on", _("On")
    OFF = "off", _("Off")


class RuleStep(TextChoices):
    """What somebody asks for that another has to approve."""

    SWITCH_ON = "switch_on", _("Switch on")
    SWITCH_OFF = "switch_off", _("Switch off")
    CHANGE = "change", _("Change while it is on")


class StepOutcome(TextChoices):
    ASKED = "asked", _("Waits for approval")
    APPROVED = "approved", _("Approved")
    DECLINED = "declined", _("Declined")
