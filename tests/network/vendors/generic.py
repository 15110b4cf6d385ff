"""Unit: bit/s in 32 bits. Source: WISPr Best Current Practices 1.0, annex A (the
attributes of vendor 14122); RFC 2865 5.22 and 5.42, RFC 3162, RFC 3580 3.31, RFC 6911.
"""

from tests.network.vendors import HELD, LEASH, RFC_POOLS, ROUTES, VLAN, Case


def rate(up: int, down: int) -> tuple[tuple[str, str], ...]:
    return (
        ("WISPr-Bandwidth-Max-Up", str(up)),
        ("WISPr-Bandwidth-Max-Down", str(down)),
    )


OPEN, SLOW = rate(10_000_000, 20_000_000), rate(512_000, 512_000)
ONE = (("Port-Limit", "1"),)
FAST = {"down_kbps": 10_000_000, "up_kbps": 4_294_967}

CASES = (
    Case(says="an open line", told=(*OPEN, *ONE), coa=OPEN),
    Case(says="sessions without limit", profile={"sessions_max": 0}, told=OPEN, coa=OPEN),
    Case(says="three at once", profile={"sessions_max": 3}, told=(*OPEN, ("Port-Limit", "3")), coa=OPEN),
    Case(says="throttled", hold="throttle", told=(*SLOW, *ONE), coa=SLOW),
    Case(
        says="faster than 32 bits can say", profile=FAST,
        told=(*rate(4_294_967_000, 4_294_967_295), *ONE),
        coa=rate(4_294_967_000, 4_294_967_295),
    ),
    Case(
        says="walled in and sent to a page", hold="walled_garden", redirect=True, coa=SLOW,
        told=(
            *LEASH, *SLOW, *ONE, ("Framed-Pool", "walled"),
            ("WISPr-Redirection-URL", "https://pay.example/?a=1&b='2'"),
        ),
    ),
    Case(says="pools of the NAS", nas_pools=True, told=(*OPEN, *ONE, *RFC_POOLS), coa=OPEN),
    Case(says="dual stack and routed blocks", holds_addresses=True, told=(*HELD, *OPEN, *ONE, *ROUTES), coa=OPEN),
    Case(says="a VLAN", vlan=True, told=(*OPEN, *ONE, *VLAN), coa=OPEN),
)  # fmt: skip
