import os

import psycopg
import pytest
from django.db import connection, transaction
from django.utils import timezone

from apps.ops import operations as ops
from apps.ops.models import AuditEntry
from dotmac.core.actors import system_actor
from dotmac.core.refs import SubjectRef


@pytest.mark.django_db
def test_the_application_role_cannot_change_the_audit_log():
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == ("dotmac_app",)
    ops.record(
        action="test.done",
        subject=SubjectRef("ops", "thing", 1),
        actor=system_actor("test"),
        now=timezone.now(),
        changes={"password": "hunter2", "name": ["a", "b"]},
    )

    entry = AuditEntry.objects.get(action="test.done")
    assert entry.changes == {"password": "***", "name": ["a", "b"]}
    for statement in (
        "UPDATE ops_auditentry SET action = 'x'",
        "DELETE FROM ops_auditentry",
    ):
        with pytest.raises(Exception, match="permission denied"), transaction.atomic():
            connection.cursor().execute(statement)


@pytest.mark.integration
def test_the_owner_of_the_tables_cannot_change_the_audit_log_either(own_database):
    """A right cannot stop the owner, so a trigger does."""
    with transaction.atomic():
        ops.record(
            action="test.done",
            subject=SubjectRef("ops", "thing", 1),
            actor=system_actor("test"),
            now=timezone.now(),
        )

    with psycopg.connect(os.environ["DATABASE_OWNER_URL"], autocommit=True) as owner:
        for statement in (
            "UPDATE ops_auditentry SET action = 'x'",
            "DELETE FROM ops_auditentry",
            "TRUNCATE ops_auditentry CASCADE",
        ):
            with pytest.raises(psycopg.IntegrityError) as refusal:
                owner.execute(statement)
            name = refusal.value.diag.constraint_name
            # TRUNCATE takes the chain's links with it, which are kept as well.
            assert name in {"ops_auditentry_append_only", "ops_auditlink_append_only"}
    assert AuditEntry.objects.filter(action="test.done").count() == 1
