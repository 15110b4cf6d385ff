from pathlib import Path

from django.db import migrations

from dotmac.core.db import append_only, sql_file

_SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("billing", "0003_create_cash")]
    operations = [
        sql_file(_SQL / "0004_seed_cash.sql"),
        sql_file(_SQL / "0004_guard_cash.sql"),
        append_only("billing_gatewayevent"),
    ]
