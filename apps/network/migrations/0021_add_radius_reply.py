import json
from pathlib import Path
from typing import Any

from django.db import migrations

from apps.network.radius.vendors import own_maps
from dotmac.core.db import sql_file

SQL = Path(__file__).parent.parent / "sql"


def load_maps(_apps: Any, schema_editor: Any) -> None:
    """The maps of the files as they are now: what a NAS may be of from the start.

    Later files are loaded by `load_vendor_maps`, which a start of DotMac calls.
    """
    documents = json.dumps([found.document for found in own_maps()])
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT network_load_vendor_maps(%s::jsonb)", [documents])


class Migration(migrations.Migration):
    dependencies = [("network", "0020_add_vendor_maps")]
    operations = [
        sql_file(SQL / "0021_radius_reply.sql"),
        migrations.RunPython(load_maps, migrations.RunPython.noop),
    ]
