"""What identity refuses, each with its stable code."""

from __future__ import annotations

from dotmac.core.errors import (
    AuthenticationRefused,
    Conflict,
    DomainError,
    InvalidInput,
)


class MalformedPhone(InvalidInput):
    code = "malformed_phone"
    title = "This is not a telephone number."


class MalformedEmail(InvalidInput):
    code = "malformed_email"
    title = "This is not an e-mail address."


class Unreachable(InvalidInput):
    code = "unreachable_customer"
    title = "Give an e-mail address or a telephone number."


class UnknownUnit(InvalidInput):
    code = "unknown_unit"
    title = "There is no such organisation unit."


class UnknownRole(InvalidInput):
    code = "unknown_role"
    title = "There is no such role."


class UnknownPermission(InvalidInput):
    code = "unknown_permission"
    title = "There is no such permission."


class UnknownField(InvalidInput):
    code = "unknown_field"
    title = "This cannot be changed here."


class WeakPassword(InvalidInput):
    code = "weak_password"
    title = "Choose a better password."


class PossibleDuplicate(Conflict):
    """Another open customer has this e-mail address or telephone number."""

    code = "possible_duplicate"
    title = "This may be a customer that you already have."


class CustomerClosed(Conflict):
    code = "customer_closed"
    title = "The customer is closed."


class CustomerHasHistory(Conflict):
    code = "customer_has_history"
    title = "The customer has history that must be kept. Close it instead."


class CustomerStillServed(Conflict):
    code = "customer_still_served"
    title = "Something speaks against closing the customer."


class LocationInUse(Conflict):
    code = "location_in_use"
    title = "A service was or is delivered there; its history needs the place."


class ParentIsBelow(Conflict):
    code = "parent_is_below"
    title = "The parent belongs below this customer itself, or too many levels deep."


class SlugTaken(Conflict):
    code = "slug_taken"
    title = "This short name is in use already."


class UsernameTaken(Conflict):
    code = "username_taken"
    title = "Somebody signs in with this name already."


class EmailTaken(Conflict):
    code = "email_taken"
    title = "Somebody signs in with this e-mail address already."


class NotStaff(Conflict):
    code = "not_staff"
    title = "Only members of staff can have this."


class LastOwner(Conflict):
    """The installation must keep one active owner."""

    code = "last_owner"
    title = "This is the last owner."


class InvitationRefused(DomainError):
    """Unknown, used, revoked or too old; the answer is the same for all."""

    code = "invitation_invalid"
    status = 404
    title = "This invitation does not work any more. Ask for a new one."


class CredentialsRefused(AuthenticationRefused):
    code = "invalid_credentials"
    title = "The name or the password is wrong."


class MfaRequired(AuthenticationRefused):
    code = "mfa_required"
    title = "Send the one-time code as well."


class MfaEnrolmentRequired(AuthenticationRefused):
    code = "mfa_enrolment_required"
    title = "Set up an authenticator first: ask for an invitation."


class OtpRefused(AuthenticationRefused):
    code = "otp_invalid"
    title = "The one-time code is wrong."


class OtpReused(AuthenticationRefused):
    code = "otp_reused"
    title = "This one-time code was used already. Wait for the next one."


class SignInLocked(DomainError):
    code = "too_many_attempts"
    status = 429
    title = "Too many attempts. Wait before you try again."


class RefreshRefused(AuthenticationRefused):
    code = "invalid_refresh"
    title = "The refresh token does not work. Sign in again."


class TokenRefused(AuthenticationRefused):
    code = "invalid_token"
    title = "The access token does not work. Refresh it or sign in again."
