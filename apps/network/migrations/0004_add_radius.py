from pathlib import Path

from django.db import migrations, models

from dotmac.core.db import sql_file

SQL = Path(__file__).parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("network", "0003_add_allocation"), ("ops", "0001_create_floor")]
    operations = [
        migrations.AddField(
            model_name="sessionlive",
            name="start_received",
            field=models.BooleanField(db_default=False, default=False),
        ),
        sql_file(SQL / "0004_radius_authorize.sql"),
        sql_file(SQL / "0004_radius_accounting.sql"),
    ]
