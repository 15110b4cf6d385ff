from pathlib import Path

from django.db import migrations, models

from dotmac.core.db import sql_file

SQL = Path(__file__).parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("network", "0013_radius_contract")]
    operations = [
        migrations.AddField(
            model_name="nas",
            name="rebooted_told_at",
            field=models.DateTimeField(null=True),
        ),
        sql_file(SQL / "0014_clocks.sql"),
        sql_file(SQL / "0014_generations.sql"),
        sql_file(SQL / "0014_radius_accounting.sql"),
    ]
