from pathlib import Path

from django.db import migrations

from dotmac.core.db import append_only, database_roles, sql_file

SQL = Path(__file__).parent.parent / "sql"
APP, OWNER = database_roles()["app_role"], database_roles()["owner_role"]
# Only functions of the owner write links and what waits for one.
REVOKE = f'REVOKE ALL ON ops_auditlink, ops_auditpending FROM "{APP}";'


class Migration(migrations.Migration):
    dependencies = [("ops", "0002_chain_audit")]
    operations = [
        migrations.RunSQL(
            REVOKE if APP != OWNER else migrations.RunSQL.noop,
            migrations.RunSQL.noop,
        ),
        sql_file(SQL / "0003_audit_chain.sql"),
        append_only("ops_auditlink"),
    ]
