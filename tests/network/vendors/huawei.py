"""Unit: bit/s in 32 bits. Source: https://support.huawei.com/enterprise/en/doc/
EDOC1100335695/ecd24420/appendix-radius-attributes (HW-Input-Committed-Information-Rate
2 and HW-Input-Peak-Information-Rate 3: bit/s; the dictionary calls them Average and
Peak), HW-QoS-Profile-Name 31."""

from tests.network.vendors import HELD, LEASH, ROUTES, Case


def rate(up: int, down: int) -> tuple[tuple[str, str], ...]:
    return (
        ("Huawei-Input-Average-Rate", str(up)),
        ("Huawei-Output-Average-Rate", str(down)),
    )


OPEN, SLOW = rate(10_000_000, 20_000_000), rate(512_000, 512_000)
PEAK = (
    ("Huawei-Input-Peak-Rate", "20000000"), ("Huawei-Output-Peak-Rate", "40000000"),
)  # fmt: skip
BURST = {"burst_down_kbps": 40_000, "burst_up_kbps": 20_000, "burst_s": 16}
NAMED = {"policy": "home-20", "throttled_policy": "slow"}

CASES = (
    Case(says="an open line", told=OPEN, coa=OPEN),
    Case(says="throttled", hold="throttle", told=SLOW, coa=SLOW),
    Case(says="a burst is the peak rate", profile=BURST, told=(*OPEN, *PEAK), coa=(*OPEN, *PEAK)),
    Case(
        says="a policy has the rates", profile=NAMED,
        told=(("Huawei-Qos-Profile-Name", "home-20"),),
        coa=(("Huawei-Qos-Profile-Name", "home-20"),),
    ),
    Case(
        says="another policy when throttled", profile=NAMED, hold="throttle",
        told=(("Huawei-Qos-Profile-Name", "slow"),),
        coa=(("Huawei-Qos-Profile-Name", "slow"),),
    ),
    Case(
        says="walled in and sent to a page", hold="walled_garden", redirect=True, coa=SLOW,
        told=(
            *LEASH, *SLOW, ("Framed-Pool", "walled"),
            ("Huawei-HTTP-Redirect-URL", "https://pay.example/?a=1&b='2'"),
        ),
    ),
    Case(
        says="pools of the NAS", nas_pools=True, coa=OPEN,
        told=(
            *OPEN, ("Framed-Pool", "nas v4"), ("Framed-IPv6-Pool", "nas-link"),
            ("Huawei-Delegated-IPv6-Prefix-Pool", "nas'pd"),
        ),
    ),
    Case(says="dual stack and routed blocks", holds_addresses=True, told=(*HELD, *OPEN, *ROUTES), coa=OPEN),
)  # fmt: skip
