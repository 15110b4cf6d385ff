from pathlib import Path

from django.db import migrations

from dotmac.core.db import sql_file

SQL = Path(__file__).parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("network", "0007_index_look_ups")]
    operations = [sql_file(SQL / "0008_radius_text.sql")]
