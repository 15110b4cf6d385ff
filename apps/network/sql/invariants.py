"""Statements about the network's data that must never be false."""

from __future__ import annotations

from dotmac.core.invariants import Invariant

INVARIANTS = (
    Invariant(
        name="network.networks_do_not_overlap",
        says="Networks of one VRF do not overlap.",
        sql="""
            SELECT p.id, p.cidr::text, q.id AS other_id, q.cidr::text AS other
              FROM network_prefix p JOIN network_prefix q
                ON q.vrf_id = p.vrf_id AND q.id > p.id AND q.cidr && p.cidr
             WHERE p.kind = 'network' AND q.kind = 'network'
        """,
    ),
    Invariant(
        name="network.no_container_inside_network",
        says="A network is a leaf: no container lies inside one.",
        sql="""
            SELECT c.id, c.cidr::text, n.id AS network_id, n.cidr::text AS network
              FROM network_prefix c JOIN network_prefix n
                ON n.vrf_id = c.vrf_id AND n.kind = 'network' AND c.cidr << n.cidr
             WHERE c.kind = 'container'
        """,
    ),
    Invariant(
        name="network.addresses_have_one_holder",
        says="No two accounts hold the same address at the same time.",
        sql="""
            SELECT s.id, s.address::text, t.id AS other_id, t.address::text AS other
              FROM network_addressassignment s JOIN network_addressassignment t
                ON t.vrf_id = s.vrf_id AND t.id > s.id AND t.address = s.address
             WHERE s.released_at IS NULL AND t.released_at IS NULL
        """,
    ),
    Invariant(
        name="network.held_addresses_lie_in_prefix",
        says="A held address lies in its prefix, of the same VRF and pool.",
        sql="""
            SELECT s.id, s.address::text, p.cidr::text
              FROM network_addressassignment s
              JOIN network_prefix p ON p.id = s.prefix_id
             WHERE s.released_at IS NULL
               AND (NOT s.address <<= p.cidr OR p.vrf_id <> s.vrf_id
                    OR p.pool_id IS DISTINCT FROM s.pool_id OR p.kind <> 'network')
        """,
    ),
    Invariant(
        name="network.reserved_addresses_are_free",
        says="Nobody holds a network, broadcast or gateway address.",
        sql="""
            SELECT s.id, s.address::text, p.cidr::text, p.gateway::text
              FROM network_addressassignment s
              JOIN network_prefix p ON p.id = s.prefix_id
              JOIN network_addresspool o ON o.id = s.pool_id
             WHERE s.released_at IS NULL
               AND (s.address = p.gateway
                    OR NOT s.address BETWEEN network_first_unit(p.cidr, o.delegated_length)
                                         AND network_last_unit(p.cidr, o.delegated_length))
        """,
    ),
    Invariant(
        name="network.closed_accounts_hold_nothing",
        says="A closed account holds no address, no VLAN and no open hold.",
        sql="""
            SELECT a.id, a.login FROM network_accessaccount a
             WHERE a.closed_at IS NOT NULL
               AND (a.vlan_id IS NOT NULL
                    OR EXISTS (SELECT FROM network_addressassignment s
                                WHERE s.account_id = a.id AND s.released_at IS NULL)
                    OR EXISTS (SELECT FROM network_accesshold h
                                WHERE h.account_id = a.id AND h.lifted_at IS NULL))
        """,
    ),
    Invariant(
        name="network.closed_accounts_have_no_handle",
        says="No device and no line stands for a closed account.",
        sql="""
            SELECT h.id, h.account_id, h.kind FROM network_accesshandle h
              JOIN network_accessaccount a ON a.id = h.account_id
             WHERE a.closed_at IS NOT NULL
        """,
    ),
    Invariant(
        name="network.one_open_hold_per_reason",
        says="An account has at most one open hold for a reason.",
        sql="""
            SELECT account_id, reason, count(*) AS open_holds FROM network_accesshold
             WHERE lifted_at IS NULL GROUP BY account_id, reason HAVING count(*) > 1
        """,
    ),
    Invariant(
        name="network.logins_are_unique",
        says="No two open accounts have the same login.",
        sql="""
            SELECT login, count(*) AS accounts FROM network_accessaccount
             WHERE closed_at IS NULL GROUP BY login HAVING count(*) > 1
        """,
    ),
    Invariant(
        name="network.vlans_lie_in_group",
        says="A VLAN id lies in the range of its group.",
        sql="""
            SELECT v.id, v.vid, g.name FROM network_vlan v
              JOIN network_vlangroup g ON g.id = v.group_id
             WHERE NOT v.vid BETWEEN g.vid_min AND g.vid_max
        """,
    ),
    Invariant(
        name="network.sessions_belong_to_accounts",
        says="A session that names an account or a NAS names one that exists.",
        sql="""
            SELECT s.id, s.account_id, s.nas_id FROM network_sessionlive s
              LEFT JOIN network_accessaccount a ON a.id = s.account_id
              LEFT JOIN network_nas n ON n.id = s.nas_id
             WHERE (s.account_id IS NOT NULL AND a.id IS NULL)
                OR (s.nas_id IS NOT NULL AND n.id IS NULL)
        """,
    ),
    Invariant(
        name="network.rendered_replies_are_current",
        says="What RADIUS says of a profile is what the vendor's rules make of it.",
        sql="SELECT profile_id, vendor, state FROM network_stale_replies()",
    ),
    Invariant(
        name="network.awaited_secrets_are_scheduled",
        says="A NAS awaits a proof of the secret that it is being switched to, or none.",
        sql="""
            SELECT n.id, n.secret_awaits, s.version
              FROM network_nas n
              FULL JOIN (SELECT * FROM network_nassecret
                          WHERE state IN ('scheduled', 'confirmed')) s
                ON s.nas_id = n.id
             WHERE n.secret_awaits IS DISTINCT FROM s.version
        """,
    ),
)
