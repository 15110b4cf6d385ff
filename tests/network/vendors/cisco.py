"""Unit: bit/s, bursts in octets. Source: Cisco ISG configuration guide, "Configuring
ISG Policies for Regulating Network Access" (vendor 9, attribute 250:
QU;committed-rate;normal-burst;excess-burst;D;...), https://www.cisco.com/c/en/us/td/docs/
ios-xml/ios/isg/configuration/xe-16/isg-xe-16-book.html; bursts of 1.5 s and 3 s as Cisco
recommends for policing. ip:sub-qos-policy-in and -out, ip:addr-pool: the same guide."""

from tests.network.vendors import HELD, LEASH, ROUTES, Case

# 10 Mbit/s: 1.5 s are 15 Mbit, which are 1,875,000 octets.
OPEN = (
    ("Cisco-Account-Info", "QU;10000000;1875000;3750000;D;20000000;3750000;7500000"),
)
SLOW = (("Cisco-Account-Info", "QU;512000;96000;192000;D;512000;96000;192000"),)
NAMED = {"policy": "home 20", "throttled_policy": "slow"}


def policy(name: str) -> tuple[tuple[str, str], ...]:
    return (
        ("Cisco-AVPair", f"ip:sub-qos-policy-in={name}-in"),
        ("Cisco-AVPair", f"ip:sub-qos-policy-out={name}-out"),
    )


CASES = (
    Case(says="an open line; it changes by a new login only", told=OPEN),
    Case(says="throttled", hold="throttle", told=SLOW),
    Case(says="policies of the router", profile=NAMED, told=policy("home 20"), coa=policy("home 20")),
    Case(says="other ones when throttled", profile=NAMED, hold="throttle", told=policy("slow"), coa=policy("slow")),
    Case(
        says="walled in", hold="walled_garden",
        told=(*LEASH, *SLOW, ("Cisco-AVPair", "ip:addr-pool=walled")),
    ),
    Case(
        says="pools of the NAS", nas_pools=True,
        told=(
            *OPEN, ("Cisco-AVPair", "ip:addr-pool=nas v4"),
            ("Framed-IPv6-Pool", "nas-link"), ("Delegated-IPv6-Prefix-Pool", "nas'pd"),
        ),
    ),
    Case(says="dual stack and routed blocks", holds_addresses=True, told=(*HELD, *OPEN, *ROUTES)),
)  # fmt: skip
