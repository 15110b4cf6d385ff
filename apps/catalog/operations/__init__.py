"""What can be done with plans and services, in the order of their life."""

from apps.catalog.operations.activation import activate_service
from apps.catalog.operations.carrying import (
    carry_provisioning,
    claim_provisioning,
)
from apps.catalog.operations.merging import (
    give_back_services,
    move_services,
    objections_to_merge,
)
from apps.catalog.operations.orders import order_service
from apps.catalog.operations.personal import erase_services
from apps.catalog.operations.plans import create_plan, retire_plan, set_price
from apps.catalog.operations.provisioning import (
    cancel_provisioning,
    cancel_stale_provisioning,
    provision_service,
    retry_provisioning,
)
from apps.catalog.operations.revealing import Credentials, reveal_credentials
from apps.catalog.operations.services import (
    extend_service,
    resume_service,
    suspend_service,
    terminate_service,
)

__all__ = [
    "Credentials",
    "activate_service",
    "cancel_provisioning",
    "cancel_stale_provisioning",
    "carry_provisioning",
    "claim_provisioning",
    "create_plan",
    "erase_services",
    "extend_service",
    "give_back_services",
    "move_services",
    "objections_to_merge",
    "order_service",
    "provision_service",
    "resume_service",
    "retire_plan",
    "retry_provisioning",
    "reveal_credentials",
    "set_price",
    "suspend_service",
    "terminate_service",
]
