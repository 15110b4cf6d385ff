from pathlib import Path

from django.db import migrations, models

from dotmac.core.db import sql_file

SQL = Path(__file__).parent.parent / "sql"
CHOICES = [("refuse", "Refuse the new login"), ("replace", "End the oldest session")]


class Migration(migrations.Migration):
    dependencies = [("network", "0014_judge_by_our_clock")]
    operations = [
        migrations.AddField(
            model_name="rateprofile",
            name="on_limit",
            field=models.CharField(
                choices=CHOICES, db_default="refuse", default="refuse", max_length=8
            ),
        ),
        migrations.AddConstraint(
            model_name="rateprofile",
            constraint=models.CheckConstraint(
                name="network_rateprofile_on_limit_known",
                condition=models.Q(on_limit__in=["refuse", "replace"]),
            ),
        ),
        sql_file(SQL / "0015_ghosts.sql"),
        sql_file(SQL / "0015_radius_accounting.sql"),
    ]
