from pathlib import Path

from django.db import migrations, models

from dotmac.core.db import sql_file

SQL = Path(__file__).parent.parent / "sql"


class Migration(migrations.Migration):

    dependencies = [
        ("network", "0032_add_handles"),
    ]

    operations = [
        migrations.AddField(
            model_name="accessattempt",
            name="hold_reason",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=16
            ),
        ),
        migrations.AddField(
            model_name="attemptbatch",
            name="decided",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="attemptbatch",
            name="lost",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="nas",
            name="decisions_read_until",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="nas",
            name="decisions_sample_of",
            field=models.PositiveIntegerField(db_default=1, default=1, editable=False),
        ),
        migrations.AddIndex(
            model_name="accessattempt",
            index=models.Index(
                condition=models.Q(("mac", ""), _negated=True),
                fields=["mac", "-decided_at"],
                name="network_attempt_of_mac",
            ),
        ),
        migrations.AddIndex(
            model_name="accessattempt",
            index=models.Index(
                fields=["nas", "-decided_at"], name="network_attempt_of_nas"
            ),
        ),
        sql_file(SQL / "0033_decisions.sql"),
        sql_file(SQL / "0033_explain.sql"),
    ]
