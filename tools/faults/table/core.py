"""Guards of the floor."""

from tools.faults.guard import Code, Guard, Kind

GUARDS = (
    Guard(
        app="core",
        name="seal-of-a-secret",
        kind=Kind.SIGNATURE,
        keeps="a sealed value that was changed, or moved to another row, does not open",
        changes=(
            Code(
                "dotmac/core/crypto.py",
                "if not hmac.compare_digest(tag, _tag(",
                "if False and not hmac.compare_digest(tag, _tag(",
            ),
        ),
        tests=("tests/core/test_crypto.py::test_a_seal_opens_only_in_its_place",),
    ),
    Guard(
        app="core",
        name="key-file-is-private",
        kind=Kind.CHECK,
        keeps="a key file that others may read is not used",
        changes=(
            Code(
                "dotmac/core/crypto.py",
                "if mode & (stat.S_IRWXG | stat.S_IRWXO):",
                "if mode & 0:",
            ),
        ),
        tests=("tests/core/test_crypto.py::test_refuses_bad_key_files",),
    ),
    Guard(
        app="core",
        name="currencies-do-not-mix",
        kind=Kind.CHECK,
        keeps="amounts of two currencies are neither added nor compared",
        changes=(
            Code(
                "dotmac/core/money.py",
                "if other.currency != self.currency:",
                "if False:",
            ),
        ),
        tests=("tests/core/test_money.py::test_currencies_do_not_mix",),
    ),
    Guard(
        app="core",
        name="secrets-in-logs",
        kind=Kind.FILTER,
        keeps="a log line and an audit row show no secret",
        changes=(
            Code(
                "dotmac/core/telemetry.py",
                "name: MASK if _SECRET_NAME.search(str(name)) else mask(inner)",
                "name: mask(inner)",
            ),
        ),
        tests=(
            "tests/core/test_telemetry.py::"
            "test_a_log_line_is_one_line_of_json_without_secrets",
            "tests/core/test_telemetry.py::test_hides_secrets_by_name_however_deep",
        ),
    ),
    Guard(
        app="core",
        name="permission-of-a-route",
        kind=Kind.CHECK,
        keeps="the API lets nobody through without the permission that is named",
        changes=(
            Code(
                "dotmac/core/api/permissions.py",
                "actor_of(request).require(needed)",
                "actor_of(request).scope(needed)",
            ),
        ),
        tests=(
            "tests/promises/test_api_routes.py::"
            "test_somebody_without_any_permission_is_refused",
        ),
    ),
    Guard(
        app="core",
        name="size-of-an-answer",
        kind=Kind.CHECK,
        keeps="an answer from outside is read up to a limit only",
        changes=(
            Code(
                "dotmac/core/http.py",
                "if len(body) > BODY_BYTES_MAX:",
                "if False:",
            ),
        ),
        tests=(
            "tests/core/test_outbound_http.py::"
            "test_too_much_and_nobody_there_are_the_same_kind_of_silence",
        ),
    ),
    Guard(
        app="core",
        name="wall-to-the-inside",
        kind=Kind.FILTER,
        keeps="a typed address reaches nothing inside, whatever its name resolves to",
        changes=(
            Code(
                "dotmac/core/outside.py",
                "[one for one in _numbers(host, port) if self._lets(one)]",
                "_numbers(host, port)",
            ),
        ),
        tests=(
            "tests/core/test_outbound_wall.py::"
            "test_no_way_of_writing_it_reaches_what_is_inside",
            "tests/core/test_outbound_wall.py::"
            "test_of_several_numbers_only_those_outside_are_tried",
        ),
    ),
)
