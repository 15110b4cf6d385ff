"""Tables of catalog."""

from apps.catalog.models.order import Order, OrderItem
from apps.catalog.models.plan import Plan, PlanPrice
from apps.catalog.models.provisioning import ProvisioningJob, ProvisioningStep
from apps.catalog.models.service import Service, ServicePlanPeriod

__all__ = [
    "Order",
    "OrderItem",
    "Plan",
    "PlanPrice",
    "ProvisioningJob",
    "ProvisioningStep",
    "Service",
    "ServicePlanPeriod",
]
