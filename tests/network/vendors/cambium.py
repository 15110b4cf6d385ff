"""Unit: kbit/s. Source: http://community.cambiumnetworks.com/t5/ePMP-Configuration-
Management/Configuring-Maximum-Information-Rate-MIR-Profiles-on-a-RADIUS/td-p/45297 (the
attributes 26 and 27 of vendor 17713; MIR profiles of the AP are in kbit/s). Priority:
FreeRADIUS's dictionary.cambium (Normal, High, Low)."""

from tests.network.vendors import LEASH, Case


def rate(up: int, down: int) -> tuple[tuple[str, str], ...]:
    return (
        ("Cambium-ePMP-Max-Burst-Uplink-Rate", str(up)),
        ("Cambium-ePMP-Max-Burst-Downlink-Rate", str(down)),
    )


OPEN, SLOW = rate(10_000, 20_000), rate(512, 512)

CASES = (
    Case(says="an open line; it changes by a new login only", told=OPEN),
    Case(says="throttled", hold="throttle", told=SLOW),
    Case(says="first", profile={"priority": 1}, told=(*OPEN, ("Cambium-ePMP-SM-Priority", "High"))),
    Case(says="in between", profile={"priority": 5}, told=OPEN),
    Case(says="last", profile={"priority": 6}, told=(*OPEN, ("Cambium-ePMP-SM-Priority", "Low"))),
    Case(says="walled in", hold="walled_garden", told=(*LEASH, *SLOW, ("Framed-Pool", "walled"))),
    Case(says="a VLAN", vlan=True, told=(*OPEN, ("Cambium-ePMP-Data-VLAN-Id", "101"))),
)  # fmt: skip
