"""What catalog refuses, and the stable code of each refusal."""

from __future__ import annotations

from dotmac.core.errors import Conflict, InvalidInput, NotFound


class UnknownPlan(InvalidInput):
    """The order names a plan that does not exist."""

    code = "unknown_plan"
    title = "There is no such plan."


class PlanRetired(Conflict):
    """The plan is no longer sold."""

    code = "plan_retired"
    title = "The plan is no longer sold."


class PlanHasNoPrice(Conflict):
    """Nothing says what the plan costs in the customer's currency today."""

    code = "plan_has_no_price"
    title = "The plan has no price in the customer's currency."


class PlanSlugTaken(Conflict):
    """Another plan has the slug."""

    code = "plan_slug_taken"
    title = "Another plan has this slug."


class PriceOverlaps(Conflict):
    """A price of the plan already begins on that date or later."""

    code = "price_overlaps"
    title = "A price already stands for this date or a later one."


class UnknownRateProfile(InvalidInput):
    """The plan names a speed that does not exist."""

    code = "unknown_profile"
    title = "There is no such rate profile."


class UnknownPool(InvalidInput):
    """The plan names an address pool that does not exist."""

    code = "unknown_pool"
    title = "There is no such address pool."


class PriceRefused(InvalidInput):
    """The amount or the currency cannot be a price."""

    code = "invalid_price"
    title = "A price is not negative and has at most six decimal digits."


class PriceInPast(InvalidInput):
    """A price that changes from a past date would alter what was billed."""

    code = "price_in_past"
    title = "A new price cannot begin before today."


class CustomerClosed(Conflict):
    """A closed customer orders nothing."""

    code = "customer_closed"
    title = "The customer is closed."


class UnknownCustomer(InvalidInput):
    """The order names a customer that does not exist."""

    code = "unknown_customer"
    title = "There is no such customer."


class UnknownLocation(InvalidInput):
    """The location does not exist or is another customer's."""

    code = "unknown_location"
    title = "The customer has no such location."


class LoginTaken(Conflict):
    """Another service or access account has the login."""

    code = "login_taken"
    title = "This login is in use."


class LoginRefused(InvalidInput):
    """The login has characters or a length that a login may not have."""

    code = "invalid_login"
    title = "A login has 1 to 64 printable characters and no spaces."


class PasswordRefused(InvalidInput):
    """The password cannot be carried by RADIUS or is too short."""

    code = "invalid_password"
    title = "A password has 6 to 128 bytes and no control characters."


class UnknownService(NotFound):
    """There is no such service."""

    title = "There is no such service."


class ServiceNotPending(Conflict):
    """Only a service that waits can be provisioned."""

    code = "service_not_pending"
    title = "Only a pending service can be provisioned."


class ServiceNotProvisioning(Conflict):
    """Only a service that is being provisioned becomes active."""

    code = "service_not_provisioning"
    title = "The service is not being provisioned."


class ServiceNotActive(Conflict):
    """The service is not active, so it cannot be suspended or resumed."""

    code = "service_not_active"
    title = "The service is not active."


class PlanNotPrepaid(Conflict):
    """Only a prepaid service has an expiry to extend."""

    code = "plan_not_prepaid"
    title = "Only a prepaid service can be extended."


class UnknownProvisioningJob(NotFound):
    """There is no such provisioning job."""

    title = "There is no such provisioning job."


class ProvisioningNotFailed(Conflict):
    """Only a failed job can be retried."""

    code = "provisioning_not_failed"
    title = "Only a failed provisioning job can be retried."


class ProvisioningFinished(Conflict):
    """The job has ended; there is nothing to cancel."""

    code = "provisioning_finished"
    title = "The provisioning job has ended."


class LeaseLost(Conflict):
    """Another worker took the job up; this one stops."""

    code = "lease_lost"
    title = "Another worker carries this job."
