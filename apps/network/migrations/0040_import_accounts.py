import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import dotmac.core.models


class Migration(migrations.Migration):

    dependencies = [
        ("network", "0039_note_cached_answers"),
        ("ops", "0005_fill_messages_when_sent"),
    ]

    operations = [
        migrations.CreateModel(
            name="AccountImport",
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
                ("name", models.CharField(max_length=120)),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("radius", "FreeRADIUS's tables"),
                            ("user_manager", "MikroTik User Manager"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("preview", "Waits for a decision"),
                            ("running", "Opens accounts"),
                            ("done", "Done"),
                            ("undoing", "Is taken back"),
                            ("undone", "Taken back"),
                            ("discarded", "Thrown away"),
                        ],
                        default="preview",
                        max_length=16,
                    ),
                ),
                ("left", models.JSONField(default=list)),
                ("actor_label", models.CharField(max_length=200)),
                ("carried", models.PositiveIntegerField(default=0)),
                ("began_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                ("compared_at", models.DateTimeField(null=True)),
                (
                    "compared_as",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="network.nas",
                    ),
                ),
                (
                    "job",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ops.job",
                    ),
                ),
                (
                    "nas",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="network.nas",
                    ),
                ),
                (
                    "profile",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="network.rateprofile",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="AccountImportRow",
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
                ("number", models.PositiveIntegerField()),
                ("place", models.CharField(max_length=200)),
                ("login", models.CharField(blank=True, max_length=253)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("ready", "Ready"),
                            ("refused", "Not imported"),
                            ("opened", "Opened"),
                            ("closed", "Taken back"),
                        ],
                        max_length=16,
                    ),
                ),
                ("reason", models.TextField(blank=True, default="")),
                ("facts", dotmac.core.models.SealedField(null=True)),
                (
                    "verdict",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("same", "The same"),
                            ("different", "Different"),
                            ("silent", "No answer"),
                        ],
                        default="",
                        max_length=16,
                    ),
                ),
                ("differences", models.JSONField(default=list)),
                (
                    "account",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="network.accessaccount",
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rows",
                        to="network.accountimport",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="accountimport",
            constraint=models.CheckConstraint(
                condition=models.Q(("source__in", ["radius", "user_manager"])),
                name="network_accountimport_source_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="accountimport",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "state__in",
                        [
                            "preview",
                            "running",
                            "done",
                            "undoing",
                            "undone",
                            "discarded",
                        ],
                    )
                ),
                name="network_accountimport_state_known",
            ),
        ),
        migrations.AddIndex(
            model_name="accountimportrow",
            index=models.Index(
                fields=["batch", "state", "number"], name="network_importrow_by_state"
            ),
        ),
        migrations.AddConstraint(
            model_name="accountimportrow",
            constraint=models.UniqueConstraint(
                fields=("batch", "number"), name="network_accountimportrow_number"
            ),
        ),
        migrations.AddConstraint(
            model_name="accountimportrow",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ["ready", "refused", "opened", "closed"])
                ),
                name="network_accountimportrow_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="accountimportrow",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("verdict__in", ("", "same", "different", "silent"))
                ),
                name="network_accountimportrow_verdict_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="accountimportrow",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("facts__isnull", False), ("state", "ready")),
                    models.Q(
                        models.Q(("state", "ready"), _negated=True),
                        ("facts__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="network_accountimportrow_facts_while_it_waits",
            ),
        ),
        migrations.AddConstraint(
            model_name="accountimportrow",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "opened"), _negated=True),
                    ("account__isnull", False),
                    _connector="OR",
                ),
                name="network_accountimportrow_opened_has_account",
            ),
        ),
    ]
