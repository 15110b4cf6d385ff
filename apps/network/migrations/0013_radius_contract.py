from pathlib import Path

from django.db import migrations

from dotmac.core.db import sql_file

SQL = Path(__file__).parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("network", "0012_extend_sessions")]
    operations = [
        sql_file(SQL / "0013_contract.sql"),
        sql_file(SQL / "0013_radius_authorize.sql"),
        sql_file(SQL / "0013_radius_accounting.sql"),
    ]
