"""What others may ask of catalog."""

from apps.catalog.selectors.billable import (
    BillableService,
    HeldSpan,
    billable_services,
    customer_bounds,
    held_spans,
)
from apps.catalog.selectors.invariants import INVARIANTS
from apps.catalog.selectors.participation import (
    TIMELINE,
    objections_to_close_customer,
    objections_to_delete_customer,
)
from apps.catalog.selectors.personal import account_ids_of, held_of
from apps.catalog.selectors.plans import current_prices, find_plan, plans, prices_of
from apps.catalog.selectors.provisioning import (
    due_provisioning_jobs,
    latest_provisioning_of,
    provisioning_job,
    provisioning_jobs_visible_to,
    steps_of,
)
from apps.catalog.selectors.services import (
    ServiceView,
    account_ids_of_services,
    account_ids_visible_to,
    active_services_of,
    find_service,
    in_shown_state,
    items_of_orders,
    orders_visible_to,
    service_counts,
    service_ids_of_accounts,
    service_view,
    service_views,
    services_visible_to,
    views_of,
    with_login,
)

__all__ = [
    "INVARIANTS",
    "TIMELINE",
    "BillableService",
    "HeldSpan",
    "ServiceView",
    "account_ids_of",
    "account_ids_of_services",
    "account_ids_visible_to",
    "active_services_of",
    "billable_services",
    "current_prices",
    "customer_bounds",
    "due_provisioning_jobs",
    "find_plan",
    "find_service",
    "held_of",
    "held_spans",
    "in_shown_state",
    "items_of_orders",
    "latest_provisioning_of",
    "objections_to_close_customer",
    "objections_to_delete_customer",
    "orders_visible_to",
    "plans",
    "prices_of",
    "provisioning_job",
    "provisioning_jobs_visible_to",
    "service_counts",
    "service_ids_of_accounts",
    "service_view",
    "service_views",
    "services_visible_to",
    "steps_of",
    "views_of",
    "with_login",
]
