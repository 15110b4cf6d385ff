"""Unit: bit/s (WISPr). Source: https://docs.splynx.com/networking/bandwidth_management/
radius_speed_limits/radius_speed_limits.md (Ubiquiti takes WISPr-Bandwidth-Max-*)."""

from tests.network.vendors import HELD, LEASH, VLAN, Case
from tests.network.vendors.generic import OPEN, SLOW

CASES = (
    Case(says="an open line; it changes by a new login only", told=OPEN),
    Case(says="throttled", hold="throttle", told=SLOW),
    Case(says="walled in", hold="walled_garden", told=(*LEASH, *SLOW, ("Framed-Pool", "walled"))),
    Case(says="an address of its own", holds_addresses=True, told=(*HELD, *OPEN)),
    Case(says="pools of the NAS", nas_pools=True, told=(*OPEN, ("Framed-Pool", "nas v4"))),
    Case(says="a VLAN", vlan=True, told=(*OPEN, *VLAN)),
)  # fmt: skip
