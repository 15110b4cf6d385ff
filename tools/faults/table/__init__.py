"""The named guards, app by app. A guard that moves with the code moves here too."""

from tools.faults.guard import Guard
from tools.faults.table import (
    access,
    analytics,
    billing,
    catalog,
    core,
    federation,
    gateway,
    identity,
    network,
    ops,
    radius,
)

GUARDS: tuple[Guard, ...] = (
    *core.GUARDS,
    *gateway.GUARDS,
    *ops.GUARDS,
    *identity.GUARDS,
    *access.GUARDS,
    *federation.GUARDS,
    *network.GUARDS,
    *radius.GUARDS,
    *catalog.GUARDS,
    *billing.GUARDS,
    *analytics.GUARDS,
)

__all__ = ["GUARDS"]
