from pathlib import Path

from django.db import migrations, models

from dotmac.core.db import sql_file

SQL = Path(__file__).parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("network", "0040_import_accounts")]
    operations = [
        migrations.AddField(
            model_name="nas",
            name="counts_32_bits",
            field=models.BooleanField(db_default=False, default=False),
        ),
        sql_file(SQL / "0041_counters_of_32_bits.sql"),
    ]
