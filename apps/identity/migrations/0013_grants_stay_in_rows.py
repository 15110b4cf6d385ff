from pathlib import Path

from django.db import migrations

from dotmac.core.db import sql_file

SQL = Path(__file__).parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("identity", "0012_invite_known_people")]
    operations = [sql_file(SQL / "0013_granted.sql")]
