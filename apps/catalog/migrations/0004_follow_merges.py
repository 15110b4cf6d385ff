"""Services and orders may change their customer within a merge."""

from pathlib import Path

from django.db import migrations

from dotmac.core.db import sql_file

SQL = Path(__file__).parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0003_let_customers_rest"),
        ("identity", "0011_merges"),
    ]

    operations = [sql_file(SQL / "0004_follow_merges.sql")]
