from pathlib import Path

from django.db import migrations

from dotmac.core.db import sql_file

SQL = Path(__file__).parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("network", "0044_time_decisions")]
    operations = [sql_file(SQL / "0046_plain_accounting.sql")]
