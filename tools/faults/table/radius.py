"""Guards of RADIUS: who is let in, by whom, and what its packets count."""

from tools.faults.guard import Body, Code, Guard, Kind

GUARDS = (
    Guard(
        app="network",
        name="accounts-that-are-open",
        kind=Kind.FILTER,
        keeps="RADIUS knows no account that was closed",
        changes=(Body("radius_find_account", "AND acc.closed_at IS NULL AND", "AND"),),
        tests=(
            "tests/conformance/test_reasons.py::"
            "test_a_closed_account_is_noted_as_unknown",
        ),
    ),
    Guard(
        app="network",
        name="lines-where-the-nas-may",
        kind=Kind.FILTER,
        keeps="no device is let in without a password but by a NAS that may",
        changes=(Body("radius_find_account", "OR NOT n.ipoe", ""),),
        tests=(
            "tests/conformance/test_ipoe.py::"
            "test_a_nas_that_may_not_lets_nobody_in_without_a_password",
        ),
    ),
    Guard(
        app="network",
        name="device-that-the-nas-saw",
        kind=Kind.CHECK,
        keeps="nobody is let in by saying the name of another one's device",
        changes=(
            Body("radius_find_handle", "WHEN r.mac IN ('', v_named)", "WHEN true"),
        ),
        tests=(
            "tests/conformance/test_ipoe.py::"
            "test_the_device_that_the_nas_saw_decides_not_the_name_that_was_said",
        ),
    ),
    Guard(
        app="network",
        name="device-lock",
        kind=Kind.CHECK,
        keeps="a login that is tied to a device is refused from another one",
        changes=(
            Body(
                "radius_refusal",
                "ELSIF s.mac_lock <> '' AND s.mac_lock <> r.mac THEN",
                "ELSIF false THEN",
            ),
        ),
        tests=(
            "tests/conformance/test_access.py::"
            "test_a_device_lock_knows_the_device_in_any_spelling",
        ),
    ),
    Guard(
        app="network",
        name="explained-for-whom-it-concerns",
        kind=Kind.FILTER,
        keeps="a login of somebody else's customer is explained as one that nobody has",
        changes=(
            Code(
                "apps/network/selectors/explain.py",
                "if about is not None and not reached.filter(pk=about).exists():",
                "if False:",
            ),
        ),
        tests=(
            "tests/network/test_explain.py::"
            "test_somebody_elses_login_is_one_that_nobody_has",
        ),
    ),
    Guard(
        app="network",
        name="spool-of-decisions",
        kind=Kind.CHECK,
        keeps="decisions that nobody reads fill no disk",
        changes=(
            Code(
                "apps/network/radius/spool.py",
                "        if size <= bytes_max:\n            break\n",
                "        break\n",
            ),
        ),
        tests=(
            "tests/network/test_decisions.py::TestSpool::"
            "test_the_oldest_go_unread_when_there_is_too_much",
        ),
    ),
    Guard(
        app="network",
        name="closed-account",
        kind=Kind.CHECK,
        keeps="a closed account is given no address",
        changes=(
            Code(
                "apps/network/operations/checks.py",
                "if account.closed_at is not None:",
                "if False:",
            ),
        ),
        tests=("tests/network/test_addresses.py::test_refuses_a_closed_account",),
    ),
    Guard(
        app="network",
        name="answer-to-a-challenge",
        kind=Kind.SIGNATURE,
        keeps="MS-CHAPv2 lets in only who knows the password",
        changes=(
            Code(
                "apps/network/radius/mschap.py",
                "if not hmac.compare_digest(answer, challenge_response(asked, hashed)):",
                "if False:",
            ),
        ),
        tests=(
            "tests/network/test_mschap_vectors.py::test_anything_else_earns_nothing",
        ),
    ),
    Guard(
        app="network",
        name="signature-of-a-snapshot",
        kind=Kind.SIGNATURE,
        keeps="a site that is cut off believes the centre's snapshot only",
        changes=(
            Code(
                "apps/network/radius/snapshot.py",
                "public.verify(data[len(_MAGIC) : start], _MAGIC + body)",
                "pass",
            ),
        ),
        tests=(
            "tests/network/test_radius_snapshot.py::test_no_other_file_is_believed",
        ),
    ),
    Guard(
        app="network",
        name="signature-of-a-request",
        kind=Kind.SIGNATURE,
        keeps="an Access-Request with a forged signature gets no answer",
        changes=(
            Code(
                "apps/network/radius/answers.py",
                "return bool(request.verify_message_authenticator())",
                "return True",
            ),
        ),
        tests=(
            "tests/conformance/test_wire.py::"
            "test_a_forged_signature_is_not_answered_where_none_is_demanded_either"
            "[embedded]",
        ),
    ),
    Guard(
        app="network",
        name="signature-of-a-nas",
        kind=Kind.SIGNATURE,
        keeps="a forged acknowledgement of a Disconnect counts for nothing",
        changes=(
            Code(
                "apps/network/radius/coa.py",
                "or not request.VerifyReply(reply, data):",
                "or False:",
            ),
        ),
        tests=("tests/network/test_coa.py::test_a_forged_answer_alone_is_silence",),
    ),
    Guard(
        app="network",
        name="packets-of-a-session",
        kind=Kind.LOCK,
        keeps="usage counts once however many packets of a session come together",
        changes=(
            Body(
                "radius_account_packet",
                "PERFORM pg_advisory_xact_lock(hashtextextended(p.session_key::text, 1));",
                "",
            ),
            Body("radius_goes_on", "SELECT l.ctid,", "SELECT l.id,"),
            Body(
                "radius_goes_on",
                "pg_advisory_xact_lock(hashtextextended(l.session_key::text, 1))",
                "NULL",
            ),
            Body("radius_goes_on", "AND s.ctid = was.ctid", "AND s.id = was.id"),
            Body(
                "radius_goes_on",
                "AND s.octets_in = was.octets_in AND s.octets_out = was.octets_out",
                "",
            ),
            Body("radius_go_on", "AND s.octets_in = v_in AND s.octets_out = v_out", ""),
        ),
        tests=(
            "tests/races/test_radius_races.py::"
            "test_interims_and_what_closes_beside_count_once",
        ),
    ),
    Guard(
        app="network",
        name="counters-that-turn",
        kind=Kind.FILTER,
        keeps="a counter that falls adds 4 GiB only where the NAS is said to turn",
        changes=(Body("radius_unwrapped", " AND n.counts_32_bits", ""),),
        tests=(
            "tests/network/test_counters.py::"
            "test_without_the_switch_a_counter_that_falls_stays",
        ),
    ),
    Guard(
        app="network",
        name="sessions-of-before-a-reboot",
        kind=Kind.FILTER,
        keeps="nobody is locked out by sessions that ended with their NAS's reboot",
        changes=(
            Body(
                "radius_counted_sessions",
                "WHERE n.id = s.nas_id AND n.rebooted_at >= s.heard_at)",
                "WHERE false)",
            ),
        ),
        tests=(
            "tests/conformance/test_storm.py::TestAccountingOn::"
            "test_it_ends_what_was_and_no_other_nas",
        ),
    ),
    Guard(
        app="network",
        name="sessions-kept-a-month",
        kind=Kind.CHECK,
        keeps="no setting and no caller drops the sessions of this month",
        changes=(
            Body(
                "network_forget_sessions",
                "IF p_before > now() - interval '31 days' THEN",
                "IF false THEN",
            ),
        ),
        tests=(
            "tests/network/test_retention.py::"
            "test_the_database_refuses_to_forget_what_was_yesterday",
        ),
    ),
    Guard(
        app="network",
        name="answer-of-its-claim",
        kind=Kind.CHECK,
        keeps="a late sender settles no request that another one has in flight",
        changes=(
            Code(
                "apps/network/operations/coa.py",
                "AND c.attempts = o.attempt AND c.state = 'sending'",
                "AND c.state = 'sending'",
            ),
        ),
        tests=(
            "tests/network/test_coa.py::"
            "test_an_answer_settles_only_the_claim_that_it_belongs_to",
        ),
    ),
    Guard(
        app="network",
        name="proof-of-a-secret",
        kind=Kind.CHECK,
        keeps="a packet that nothing proved to be of the NAS confirms no secret",
        changes=(
            Body(
                "radius_nas_of",
                "p_client = 'nas-' || n.id || '-' || n.secret_awaits",
                "p_client LIKE 'nas-' || n.id || '-' || n.secret_awaits || '%'",
            ),
        ),
        tests=("tests/network/test_nas_secrets.py::test_nothing_else_proves_it",),
    ),
    Guard(
        app="network",
        name="proxy-state-unsigned",
        kind=Kind.CHECK,
        keeps="what a proxy passed on unsigned gets no answer (BlastRADIUS)",
        changes=(
            Code(
                "apps/network/radius/answers.py",
                " and _PROXY_STATE not in request",
                "",
            ),
        ),
        tests=(
            "tests/conformance/test_nas.py::"
            "test_proxy_state_unsigned_gets_no_answer_from_an_excused_nas_either"
            "[embedded]",
        ),
    ),
    Guard(
        app="network",
        name="certificate-of-the-nas",
        kind=Kind.CHECK,
        keeps="over TLS a NAS speaks for itself and for no other",
        changes=(Body("radius_nas_of", "p_client <> 'tls nas-' || n.id", "false"),),
        tests=(
            "tests/network/test_nas_secrets.py::"
            "test_over_tls_the_certificate_must_be_of_the_nas_at_the_address",
        ),
    ),
)
