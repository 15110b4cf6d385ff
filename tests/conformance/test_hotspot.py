"""A login at a hotspot: wireless, without PPP, with an end by time and by volume."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.integration
# RFC 2865 5.41: 19 is Wireless-802.11. As RouterOS's hotspot asks.
HOTSPOT = {
    "NAS_Port_Type": "Wireless-802.11", "Service_Type": "Login-User",
    "Called_Station_Id": "hotspot1", "Calling_Station_Id": "AA:BB:CC:00:15:01",
    "Framed_IP_Address": "10.5.50.2", "NAS_Port_Id": "wlan1",
}  # fmt: skip


@pytest.mark.parametrize("method", ["User_Password", "CHAP_Password"])
def test_idle_time_and_octets_are_limited(isp, method):
    """10,000,000,000 octets are 2 * 2^32 + 1,410,065,408."""
    account = isp.account(profile={"idle_s": 600, "session_mb": 10_000})

    answer = isp.client.auth(
        User_Name=account.login, **{method: "right horse"}, **HOTSPOT
    )
    refused = isp.client.auth(User_Name=account.login, **{method: "wrong"}, **HOTSPOT)

    assert answer.accepted
    told = answer.attributes
    assert told["Idle-Timeout"] == "600"
    assert told["Mikrotik-Total-Limit"] == "1410065408"
    assert told["Mikrotik-Total-Limit-Gigawords"] == "2"
    assert told["Mikrotik-Rate-Limit"] == "10000k/20000k"
    assert "Framed-Protocol" not in told
    assert [name for name, _ in refused.pairs] == ["Message-Authenticator"]


def test_a_session_within_one_gigaword_says_so(isp):
    account = isp.account(profile={"session_mb": 500})

    told = isp.auth(account, **HOTSPOT).attributes

    assert told["Mikrotik-Total-Limit"] == "500000000"
    assert told["Mikrotik-Total-Limit-Gigawords"] == "0"
    assert "Idle-Timeout" not in told
