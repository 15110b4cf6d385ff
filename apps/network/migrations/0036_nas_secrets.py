from pathlib import Path

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import dotmac.core.models
from dotmac.core.db import sql_file

SQL = Path(__file__).parent.parent / "sql"


class Migration(migrations.Migration):

    dependencies = [
        ("network", "0035_add_disconnect_runs"),
    ]

    operations = [
        migrations.AddField(
            model_name="nas",
            name="secret_awaits",
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="nas",
            name="secret_version",
            field=models.PositiveIntegerField(db_default=1, default=1),
        ),
        migrations.CreateModel(
            name="NasSecret",
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
                ("version", models.PositiveIntegerField()),
                ("secret", dotmac.core.models.SealedField(null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("proposed", "Proposed"),
                            ("scheduled", "Scheduled, then waiting for a packet"),
                            ("confirmed", "Confirmed by a packet"),
                            ("in_use", "In use"),
                            ("rolled_back", "Rolled back"),
                        ],
                        default="proposed",
                        max_length=16,
                    ),
                ),
                ("switch_at", models.DateTimeField(null=True)),
                ("roll_back_at", models.DateTimeField(null=True)),
                ("confirmed_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "nas",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="network.nas",
                    ),
                ),
            ],
            options={
                "verbose_name": "NAS secret",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(
                            ("state__in", ("proposed", "scheduled", "confirmed"))
                        ),
                        fields=("nas",),
                        name="network_nassecret_one_open",
                    ),
                    models.UniqueConstraint(
                        fields=("nas", "version"),
                        name="network_nassecret_one_per_version",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                [
                                    "proposed",
                                    "scheduled",
                                    "confirmed",
                                    "in_use",
                                    "rolled_back",
                                ],
                            )
                        ),
                        name="network_nassecret_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ("proposed", "rolled_back")),
                            ("switch_at__isnull", False),
                            _connector="OR",
                        ),
                        name="network_nassecret_switched_at_a_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("ended_at", None),
                                ("secret__isnull", False),
                                ("state__in", ("proposed", "scheduled", "confirmed")),
                            ),
                            models.Q(
                                models.Q(
                                    (
                                        "state__in",
                                        ("proposed", "scheduled", "confirmed"),
                                    ),
                                    _negated=True,
                                ),
                                ("ended_at__isnull", False),
                                ("secret__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="network_nassecret_kept_while_open",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("roll_back_at", None),
                            ("roll_back_at__gt", models.F("switch_at")),
                            _connector="OR",
                        ),
                        name="network_nassecret_rolls_back_later",
                    ),
                ],
            },
        ),
        sql_file(SQL / "0036_nas_secrets.sql"),
    ]
