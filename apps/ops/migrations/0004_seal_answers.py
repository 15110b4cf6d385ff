"""Answers kept under an Idempotency-Key show secrets once: seal what is there.

Cookie sessions are now found by a digest of their key; those of before are
forgotten, and people sign in again.
"""

from typing import Any

from django.db import migrations

import dotmac.core.models
from dotmac.core.models import keyring


def seal_answers(apps: Any, schema_editor: Any) -> None:
    key_model = apps.get_model("ops", "IdempotencyKey")
    rows = key_model.objects.using(schema_editor.connection.alias)
    for row in rows.exclude(status=None).iterator(chunk_size=500):
        row.body = keyring().seal(
            bytes(row.body or b"").decode("latin-1"),
            table="ops_idempotencykey",
            column="body",
            row_id=row.pk,
        )
        row.save(update_fields=["body"])


FORGET_SESSIONS = """
DO $$ BEGIN
    IF to_regclass('public.django_session') IS NOT NULL THEN
        DELETE FROM public.django_session;
    END IF;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("ops", "0003_guard_audit_chain")]
    operations = [
        migrations.AlterField(
            model_name="idempotencykey",
            name="body",
            field=dotmac.core.models.SealedField(editable=False, null=True),
        ),
        migrations.RunPython(seal_answers, migrations.RunPython.noop),
        migrations.RunSQL(FORGET_SESSIONS, migrations.RunSQL.noop),
    ]
