from pathlib import Path

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

from dotmac.core.db import sql_file

SQL = Path(__file__).parent.parent / "sql"


class Migration(migrations.Migration):

    dependencies = [
        ("network", "0031_note_failed_methods"),
    ]

    operations = [
        migrations.AddField(
            model_name="nas",
            name="ipoe",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.CreateModel(
            name="AccessHandle",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                    ),
                ),
                (
                    "updated_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("mac", "MAC address"),
                            ("circuit_id", "Agent-Circuit-Id"),
                            ("remote_id", "Agent-Remote-Id"),
                        ],
                        max_length=16,
                    ),
                ),
                ("value", models.CharField(max_length=512)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="network.accessaccount",
                    ),
                ),
            ],
            options={
                "verbose_name": "device or line",
                "verbose_name_plural": "devices and lines",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("value", "kind"), name="network_accesshandle_taken"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("kind__in", ["mac", "circuit_id", "remote_id"])
                        ),
                        name="network_accesshandle_kind_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("kind", "mac"),
                                ("value__regex", "^[0-9a-f]{2}(:[0-9a-f]{2}){5}$"),
                            ),
                            models.Q(
                                models.Q(("kind", "mac"), _negated=True),
                                models.Q(("value", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="network_accesshandle_value_canonical",
                    ),
                ],
            },
        ),
        sql_file(SQL / "0032_handles.sql"),
    ]
