from pathlib import Path

from django.db import migrations

from dotmac.core.db import sql_file

SQL = Path(__file__).parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("network", "0005_index_sessions")]
    operations = [
        sql_file(SQL / "0006_edge_rate.sql"),
        sql_file(SQL / "0006_radius_accounting.sql"),
    ]
