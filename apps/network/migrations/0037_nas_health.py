import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("network", "0036_nas_secrets"),
    ]

    operations = [
        migrations.CreateModel(
            name="NasHealth",
            fields=[
                (
                    "nas",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="health",
                        serialize=False,
                        to="network.nas",
                    ),
                ),
                ("heard_at", models.DateTimeField(null=True)),
                ("accepts", models.PositiveIntegerField(default=0)),
                ("rejects", models.PositiveIntegerField(default=0)),
                ("measured_at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "NAS health",
                "verbose_name_plural": "NAS health",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("heard_at", None),
                            ("heard_at__lte", models.F("measured_at")),
                            _connector="OR",
                        ),
                        name="network_nashealth_not_of_the_future",
                    )
                ],
            },
        ),
    ]
