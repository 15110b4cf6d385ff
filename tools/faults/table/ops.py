"""Guards of outbox, audit, jobs, keys and the business date."""

from tools.faults.guard import Body, Code, Guard, Kind, Sql

GUARDS = (
    Guard(
        app="ops",
        name="event-in-delivery",
        kind=Kind.LOCK,
        keeps="two couriers never deliver one event",
        changes=(
            Code(
                "apps/ops/operations/outbox.py",
                """        OutboxEvent.objects.select_for_update(no_key=True)
        .filter(subject_key=subject_key)
        .exclude(""",
                """        OutboxEvent.objects.filter(subject_key=subject_key)
        .exclude(""",
            ),
        ),
        tests=(
            "tests/races/test_ops_races.py::test_two_couriers_deliver_an_event_once",
        ),
    ),
    Guard(
        app="ops",
        name="audit-is-append-only",
        kind=Kind.CONSTRAINT,
        keeps="not even the owner of the tables changes the audit log",
        changes=(Sql("DROP TRIGGER ops_auditentry_append_only ON ops_auditentry"),),
        tests=(
            "tests/core/test_floor_smoke.py::"
            "test_the_owner_of_the_tables_cannot_change_the_audit_log_either",
        ),
    ),
    Guard(
        app="ops",
        name="numbers-of-a-subject",
        kind=Kind.CONSTRAINT,
        keeps="no two events of a subject have one number",
        changes=(
            Sql("ALTER TABLE ops_outboxevent DROP CONSTRAINT ops_outboxevent_number"),
        ),
        tests=("tests/ops/test_outbox.py::test_the_database_gives_a_number_once",),
    ),
    Guard(
        app="ops",
        name="numbers-in-commit-order",
        kind=Kind.LOCK,
        keeps="who emits on a subject waits for whoever emitted before and is open",
        changes=(
            Code(
                "apps/ops/operations/outbox.py",
                """            "INSERT INTO ops_outboxsubject (key, next_number, leased_by)"
            " VALUES (%s, 2, '') ON CONFLICT (key)"
            " DO UPDATE SET next_number = ops_outboxsubject.next_number + 1"
            " RETURNING next_number - 1",
            [key],""",
                """            "SELECT nextval('ops_outboxevent_id_seq')",""",
            ),
        ),
        tests=(
            "tests/races/test_outbox_order.py::"
            "test_many_emitters_on_one_subject_are_delivered_as_they_committed",
        ),
    ),
    Guard(
        app="ops",
        name="rows-within-scope",
        kind=Kind.FILTER,
        keeps="staff see jobs, audit and messages of their units and customers only",
        changes=(
            Code(
                "apps/ops/models/scoped.py",
                "        reached = Q(unit_id__in=scope.unit_ids)",
                "        reached = ~Q(pk=0)",
            ),
        ),
        tests=(
            "tests/ops/test_jobs_messages_dates.py::"
            "test_rows_are_seen_within_units_and_customers_only",
        ),
    ),
    Guard(
        app="ops",
        name="business-date-forward",
        kind=Kind.CHECK,
        keeps="the business date never goes back",
        changes=(
            Code(
                "apps/ops/operations/business_date.py", "if day < current:", "if False:"
            ),
        ),
        tests=(
            "tests/ops/test_jobs_messages_dates.py::"
            "test_the_business_date_moves_forward_in_demonstrations_only",
        ),
    ),
    Guard(
        app="ops",
        name="request-behind-a-key",
        kind=Kind.SIGNATURE,
        keeps="a key answers the request that it was first used for, and no other",
        changes=(
            Code(
                "apps/ops/operations/idempotency.py",
                "if row.request_hash != request_hash:",
                "if False:",
            ),
        ),
        tests=(
            "tests/gateway/test_idempotency.py::"
            "test_another_body_under_the_key_is_refused",
        ),
    ),
    Guard(
        app="ops",
        name="seal-in-the-database",
        kind=Kind.SIGNATURE,
        keeps="RADIUS opens no secret whose seal does not fit its row",
        changes=(
            Body(
                "dotmac_unseal", "<> substr(sealed,", "IS NULL AND '' <> substr(sealed,"
            ),
        ),
        tests=(
            "tests/core/test_crypto_vectors.py::"
            "test_postgresql_refuses_without_showing_a_key",
        ),
    ),
)
