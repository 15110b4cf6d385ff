from pathlib import Path

from django.db import migrations, models

from dotmac.core.db import sql_file

SQL = Path(__file__).parent.parent / "sql"


class Migration(migrations.Migration):

    dependencies = [
        ("network", "0033_name_decisions"),
    ]

    operations = [
        migrations.AddField(
            model_name="rateprofile",
            name="session_mb",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        sql_file(SQL / "0034_volume.sql"),
    ]
