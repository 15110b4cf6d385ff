"""Triggers: how states move, and that prices are superseded, never edited."""

from pathlib import Path

from django.db import migrations

from dotmac.core.db import sql_file

SQL = Path(__file__).parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("catalog", "0001_create_catalog")]

    operations = [sql_file(SQL / "0002_guard_states.sql")]
