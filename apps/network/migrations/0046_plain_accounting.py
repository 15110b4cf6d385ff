from pathlib import Path

from django.db import migrations

from dotmac.core.db import sql_file

SQL = Path(__file__).parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("network", "0045_plain_logins")]
    operations = [
        migrations.RemoveConstraint(
            model_name="sessionlive", name="network_sessionlive_counters_not_negative"
        ),
        migrations.RemoveConstraint(
            model_name="usagehour", name="network_usagehour_not_negative"
        ),
        sql_file(SQL / "0046_counts.sql"),
        sql_file(SQL / "0046_plain_accounting.sql"),
    ]
