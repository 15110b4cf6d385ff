"""Unit: kbit/s, download first. Source: https://github.com/accel-ppp/accel-ppp/blob/
master/accel-pppd/shaper/shaper.c (parse_string_simple, conf_attr_down and _up are
Filter-Id, ev_radius_coa)."""

from tests.network.vendors import HELD, LEASH, RFC_POOLS, ROUTES, Case

OPEN, SLOW = (("Filter-Id", "20000/10000"),), (("Filter-Id", "512/512"),)

CASES = (
    Case(says="an open line", told=OPEN, coa=OPEN),
    Case(says="throttled", hold="throttle", told=SLOW, coa=SLOW),
    Case(says="walled in", hold="walled_garden", told=(*LEASH, *SLOW, ("Framed-Pool", "walled")), coa=SLOW),
    Case(says="pools of the NAS", nas_pools=True, told=(*OPEN, *RFC_POOLS), coa=OPEN),
    Case(says="dual stack and routed blocks", holds_addresses=True, told=(*HELD, *OPEN, *ROUTES), coa=OPEN),
)  # fmt: skip
