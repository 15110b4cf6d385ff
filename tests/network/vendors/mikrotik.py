"""Unit: kbit/s with the letter k, upload (rx) first. Source:
https://help.mikrotik.com/docs/spaces/ROS/pages/2031628/RADIUS (Mikrotik-Rate-Limit:
rx/tx-rate, -burst-rate, -burst-threshold, -burst-time, priority)."""

from tests.network.vendors import HELD, LEASH, ROUTES, VLAN, Case

OPEN = (("Mikrotik-Rate-Limit", "10000k/20000k"),)
SLOW = (("Mikrotik-Rate-Limit", "512k/512k"),)
BURST = {"burst_down_kbps": 40_000, "burst_up_kbps": 20_000, "burst_s": 16}
WALLED = (*LEASH, *SLOW, ("Framed-Pool", "walled"), ("Mikrotik-Address-List", "walled"))

CASES = (
    Case(says="an open line", told=OPEN, coa=OPEN),
    Case(says="throttled", hold="throttle", told=SLOW, coa=SLOW),
    Case(says="throttled without burst", hold="throttle", profile=BURST, told=SLOW, coa=SLOW),
    Case(says="walled in", hold="walled_garden", told=WALLED, coa=SLOW),
    Case(
        says="sent to a page", hold="walled_garden", redirect=True, coa=SLOW,
        told=(*WALLED, ("WISPr-Redirection-URL", "https://pay.example/?a=1&b='2'")),
    ),
    Case(
        says="burst: the rate is its own threshold", profile=BURST,
        told=(("Mikrotik-Rate-Limit", "10000k/20000k 20000k/40000k 10000k/20000k 16/16"),),
        coa=(("Mikrotik-Rate-Limit", "10000k/20000k 20000k/40000k 10000k/20000k 16/16"),),
    ),
    Case(
        says="burst, threshold and priority",
        profile={
            **BURST, "burst_threshold_down_kbps": 15_000,
            "burst_threshold_up_kbps": 7_500, "priority": 3,
        },
        told=(("Mikrotik-Rate-Limit", "10000k/20000k 20000k/40000k 7500k/15000k 16/16 3"),),
        coa=(("Mikrotik-Rate-Limit", "10000k/20000k 20000k/40000k 7500k/15000k 16/16 3"),),
    ),
    Case(
        says="priority alone", profile={"priority": 8},
        told=(("Mikrotik-Rate-Limit", "10000k/20000k 0/0 0/0 0/0 8"),),
        coa=(("Mikrotik-Rate-Limit", "10000k/20000k 0/0 0/0 0/0 8"),),
    ),
    Case(
        says="idle time", profile={"idle_s": 900}, coa=OPEN,
        told=(("Idle-Timeout", "900"), *OPEN),
    ),
    Case(
        says="ten gigabytes a session", profile={"session_mb": 10_000}, coa=OPEN,
        told=(
            *OPEN, ("Mikrotik-Total-Limit", "1410065408"),
            ("Mikrotik-Total-Limit-Gigawords", "2"),
        ),
    ),
    Case(
        says="the highest limit, throttled", hold="throttle", coa=SLOW,
        profile={"session_mb": 2_000_000_000},
        told=(
            *SLOW, ("Mikrotik-Total-Limit", "1233977344"),
            ("Mikrotik-Total-Limit-Gigawords", "465661"),
        ),
    ),
    Case(
        says="no limit when walled in", hold="walled_garden", coa=SLOW,
        profile={"session_mb": 5}, told=WALLED,
    ),
    Case(
        says="pools of the NAS", nas_pools=True, coa=OPEN,
        told=(
            *OPEN, ("Framed-Pool", "nas v4"), ("Framed-IPv6-Pool", "nas-link"),
            ("Mikrotik-Delegated-IPv6-Pool", "nas'pd"),
        ),
    ),
    Case(
        says="dual stack and routed blocks", holds_addresses=True, coa=OPEN,
        told=(*HELD, *OPEN, *ROUTES),
    ),
    Case(
        says="nothing of its own when walled in", hold="walled_garden",
        holds_addresses=True, nas_pools=False, told=WALLED, coa=SLOW,
    ),
    Case(
        says="a VLAN", vlan=True, coa=OPEN,
        told=(
            *OPEN, *VLAN, ("Mikrotik-Wireless-VLANID", "101"),
            ("Mikrotik-Wireless-VLANID-Type", "802.1q"),
        ),
    ),
)  # fmt: skip
