from pathlib import Path

from django.db import migrations

from dotmac.core.db import sql_file

SQL = Path(__file__).parent.parent / "sql"


class Migration(migrations.Migration):
    """A number of its own: others on the way have those before it."""

    dependencies = [("network", "0041_counters_of_32_bits")]
    operations = [
        sql_file(SQL / "0042_shared.sql"),
        sql_file(SQL / "0042_plain_packets.sql"),
    ]
