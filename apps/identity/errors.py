"""What identity refuses, each with its stable code."""

from __future__ import annotations

from dotmac.core.errors import (
    AuthenticationRefused,
    Conflict,
    DomainError,
    InvalidInput,
    PermissionRefused,
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


class UnknownZone(InvalidInput):
    code = "unknown_time_zone"
    title = "There is no such time zone. Name one as in Africa/Lagos."


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


class DocumentTypeRefused(InvalidInput):
    """Judged by the bytes: the name and the announced type do not count."""

    code = "document_type"
    title = "Only whole PDF, JPEG, PNG and WebP files can be kept."


class DocumentTooLarge(InvalidInput):
    code = "document_too_large"
    title = "The file is too large."


class DocumentEmpty(InvalidInput):
    code = "document_empty"
    title = "The file is empty."


class FileBroken(Conflict):
    """What is stored is not what was stored: damage, or somebody's hand."""

    code = "file_broken"
    title = "The stored file is damaged and cannot be opened."


class CustomerErased(Conflict):
    code = "customer_erased"
    title = "This person was erased; there is nothing left."


class CustomerCannotBeErased(Conflict):
    """Each objection says what has to be settled first."""

    code = "customer_cannot_be_erased"
    title = "Something speaks against erasing the customer."


class CannotBeMerged(Conflict):
    """Each objection says what has to be settled first."""

    code = "cannot_be_merged"
    title = "Something speaks against merging these two."


class CannotBeUnmerged(Conflict):
    """Each objection says what happened since."""

    code = "cannot_be_unmerged"
    title = "This merge cannot be undone any more."


class MergedMeanwhile(Conflict):
    code = "merged_meanwhile"
    title = "The customer was merged or taken apart meanwhile. Look again."


class CustomerMerged(Conflict):
    code = "customer_merged"
    title = "This customer was merged into another one. Undo the merge first."


class ConfirmationDiffers(InvalidInput):
    code = "confirmation_differs"
    title = "Type the customer's number to confirm."


class ExportNotReady(Conflict):
    code = "export_not_ready"
    title = "The copy is still being made."


class ExportGone(Conflict):
    code = "export_gone"
    title = "There is no such copy any more. Ask for a new one."


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


class LinkRefused(DomainError):
    """Unknown, used, taken back or too old; the answer is the same for all."""

    code = "link_invalid"
    status = 404
    title = "This link does not work any more. Ask for a new one."


class LastFactor(Conflict):
    code = "last_factor"
    title = "This is your last second factor. Add another one first."


class NoSecondFactor(Conflict):
    code = "no_second_factor"
    title = "Set up an authenticator or a passkey first."


class PasskeyRefused(AuthenticationRefused):
    code = "passkey_invalid"
    title = "The passkey was not accepted. Try again."


class PasskeyKnown(Conflict):
    code = "passkey_known"
    title = "This passkey is in use already."


class NameTaken(Conflict):
    code = "name_taken"
    title = "You have one of this name already."


class ScopeTooWide(InvalidInput):
    code = "scope_too_wide"
    title = "A key cannot do more than you may do yourself."


class MalformedAddress(InvalidInput):
    code = "malformed_address"
    title = "This is not an address or a network."


class CannotBeInvited(Conflict):
    code = "cannot_be_invited"
    title = "This address cannot be invited to the portal."


class ActsElsewhere(PermissionRefused):
    """Power over this sign-in would reach customers of somebody else."""

    code = "acts_elsewhere"
    title = "This person acts for other customers too. Let them reset it by mail."


class LastFullMember(Conflict):
    """A customer's account keeps one person with all rights."""

    code = "last_full_member"
    title = "One person with all rights must remain on the account."


class CredentialsRefused(AuthenticationRefused):
    code = "invalid_credentials"
    title = "The name or the password is wrong."


class PasswordRefused(AuthenticationRefused):
    code = "invalid_credentials"
    title = "The password is wrong."


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


class RoleTaken(Conflict):
    code = "role_taken"
    title = "There is a role of this name."


class BuiltInRole(Conflict):
    """`sync_roles` fills these; a copy of one can be changed."""

    code = "built_in_role"
    title = (
        "This role comes with DotMac and cannot be changed. Make a role of your own."
    )


class RoleInUse(Conflict):
    code = "role_in_use"
    title = "Somebody holds this role. Take it away first."


class BeyondOwnRights(PermissionRefused):
    """Nobody gives, or takes, what he does not hold there himself."""

    code = "beyond_own_rights"
    title = "You can only give or take what you hold there yourself."


class RuleTaken(Conflict):
    code = "rule_taken"
    title = "There is a rule of this name."


class RuleStateRefused(Conflict):
    code = "rule_state"
    title = "The rule's state does not allow this."


class StepOpen(Conflict):
    code = "rule_step_open"
    title = "A change of this rule waits for approval already."


class NotTheAsker(PermissionRefused):
    code = "not_the_asker"
    title = "Only the person who asked can withdraw it."


class StepDecided(Conflict):
    code = "rule_step_decided"
    title = "This was decided already."


class SamePerson(PermissionRefused):
    """Four eyes: who asked cannot approve while somebody else could."""

    code = "same_person"
    title = "Somebody else has to approve what you asked for."


class PolicyLocksOut(Conflict):
    """Nobody could change the rules any more."""

    code = "policy_locks_out"
    title = "With this rule nobody could manage roles and rules any more."
