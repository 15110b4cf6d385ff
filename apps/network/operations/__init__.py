"""What may be done to the network, in the order in which an ISP does it."""

from apps.network.operations.access import (
    KEEP,
    change_access,
    close_access,
    open_access,
)
from apps.network.operations.addresses import allocate_address, release_address
from apps.network.operations.disconnects import request_coas, request_disconnects
from apps.network.operations.equipment import change_nas, create_nas, create_site
from apps.network.operations.holds import lift_hold, place_hold
from apps.network.operations.prefixes import create_pool, create_prefix, create_vrf
from apps.network.operations.profiles import create_rate_profile
from apps.network.operations.vlans import assign_vlan, create_vlan_group

__all__ = [
    "KEEP",
    "allocate_address",
    "assign_vlan",
    "change_access",
    "change_nas",
    "close_access",
    "create_nas",
    "create_pool",
    "create_prefix",
    "create_rate_profile",
    "create_site",
    "create_vlan_group",
    "create_vrf",
    "lift_hold",
    "open_access",
    "place_hold",
    "release_address",
    "request_coas",
    "request_disconnects",
]
