"""The words of federation."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class ConnectionKind(TextChoices):
    """Which protocol an identity provider speaks."""

    OIDC = "oidc", _("OpenID Connect")
    SAML = "saml", _("SAML 2.0")


class Refusal(TextChoices):
    """Why somebody was not let in: for the audit and the log, never for the page."""

    DISTRUSTED = "distrusted", _("The provider's answer does not stand up")
    EMAIL_UNVERIFIED = "email_unverified", _("The e-mail address is not verified")
    OTHER_DOMAIN = "other_domain", _("The e-mail address is of another domain")
    NO_ACCOUNT = "no_account", _("There is no account, and none is made")
    NO_ROLE = "no_role", _("No group of the person gives a role")
    LINKED_OTHERWISE = "linked_otherwise", _("The account belongs to another person")
    TOO_POWERFUL = "too_powerful", _("Owners are not linked by their address")
    LAST_OWNER = "last_owner", _("The last owner would lose the role")
    NOT_HERE = "not_here", _("Switched off, or not for this door")
