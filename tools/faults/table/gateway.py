"""Guards of the API's front door."""

from tools.faults.guard import Code, Guard, Kind

GUARDS = (
    Guard(
        app="gateway",
        name="session-of-its-own-door",
        kind=Kind.CHECK,
        keeps="a session of the portal opens nothing on the console",
        changes=(
            Code(
                "dotmac/gateway/authentication.py",
                "if session is None or session.face != face:",
                "if session is None:",
            ),
        ),
        tests=(
            "tests/gateway/test_authentication.py::"
            "test_a_door_takes_its_own_sessions_only",
        ),
    ),
    Guard(
        app="gateway",
        name="word-of-the-client",
        kind=Kind.CHECK,
        keeps="the address of a client is what trusted proxies say, never its own word",
        changes=(
            Code(
                "dotmac/gateway/authentication.py",
                "peer = hops[-trusted]",
                "peer = hops[0]",
            ),
        ),
        tests=(
            "tests/gateway/test_authentication.py::test_believes_our_own_proxies_only",
        ),
    ),
    Guard(
        app="gateway",
        name="sender-of-a-key",
        kind=Kind.FILTER,
        keeps="an Idempotency-Key shows nobody the answer that somebody else got",
        changes=(
            Code(
                "dotmac/gateway/idempotency.py",
                'f"{actor.kind}:{actor.id}"',
                'f"{actor.kind}"',
            ),
        ),
        tests=("tests/gateway/test_idempotency.py::test_keys_belong_to_their_sender",),
    ),
    Guard(
        app="gateway",
        name="fingerprint-of-a-request",
        kind=Kind.SIGNATURE,
        keeps="another body under the same key is another request",
        changes=(
            Code(
                "dotmac/gateway/idempotency.py",
                "    digest.update(_body_of(request))\n",
                "",
            ),
        ),
        tests=(
            "tests/gateway/test_idempotency.py::"
            "test_another_body_under_the_key_is_refused",
        ),
    ),
    Guard(
        app="gateway",
        name="key-where-money-moves",
        kind=Kind.CHECK,
        keeps="a payment without an Idempotency-Key is refused",
        changes=(
            Code(
                "dotmac/gateway/idempotency.py",
                'if request.path.rstrip("/").startswith(_REQUIRED):',
                "if False:",
            ),
        ),
        tests=("tests/billing/test_api_payments.py::test_needs_a_key",),
    ),
)
