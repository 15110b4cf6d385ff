"""Unit: kbit/s with the letter k, download only. Source: https://www.juniper.net/
documentation/en_US/junos13.1/topics/task/configuration/cos-subscriber-access-default-
variables.html (vendor 4874, attribute 108, T02 is the shaping rate, changeable by CoA);
26-10, 26-157 and 26-161: https://juniper.net/documentation/us/en/software/junos/
subscriber-mgmt-sessions/topics/topic-map/radius-std-attributes-vsas-support.html"""

from tests.network.vendors import HELD, LEASH, ROUTES, Case

OPEN = (("ERX-CoS-Shaping-Pmt-Type", "T02 20000k"),)
SLOW = (("ERX-CoS-Shaping-Pmt-Type", "T02 512k"),)
NAMED = {"policy": "home-10", "throttled_policy": "slow"}

CASES = (
    Case(says="an open line", told=OPEN, coa=OPEN),
    Case(says="throttled", hold="throttle", told=SLOW, coa=SLOW),
    Case(
        says="a filter for what he sends", profile=NAMED,
        told=(*OPEN, ("ERX-Ingress-Policy-Name", "home-10-in")),
        coa=(*OPEN, ("ERX-Ingress-Policy-Name", "home-10-in")),
    ),
    Case(
        says="another one when throttled", profile=NAMED, hold="throttle",
        told=(*SLOW, ("ERX-Ingress-Policy-Name", "slow-in")),
        coa=(*SLOW, ("ERX-Ingress-Policy-Name", "slow-in")),
    ),
    Case(says="walled in", hold="walled_garden", told=(*LEASH, *SLOW, ("Framed-Pool", "walled")), coa=SLOW),
    Case(
        says="pools of the NAS", nas_pools=True, coa=OPEN,
        told=(
            *OPEN, ("Framed-Pool", "nas v4"), ("ERX-IPv6-NdRa-Pool-Name", "nas-link"),
            ("ERX-IPv6-Delegated-Pool-Name", "nas'pd"),
        ),
    ),
    Case(says="dual stack and routed blocks", holds_addresses=True, told=(*HELD, *OPEN, *ROUTES), coa=OPEN),
)  # fmt: skip
