from pathlib import Path

from django.db import migrations

from dotmac.core.db import sql_file

SQL = Path(__file__).parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("network", "0042_plain_packets")]
    operations = [sql_file(SQL / "0043_handles_of_sessions.sql")]
