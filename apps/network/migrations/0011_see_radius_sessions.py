from pathlib import Path

from django.db import migrations

from dotmac.core.db import sql_file

SQL = Path(__file__).parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("network", "0010_index_nas_secrets")]
    operations = [sql_file(SQL / "0011_radius_sessions.sql")]
