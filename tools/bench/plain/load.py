"""Tables, rows and a token for the reference; prints the token.

Rows come from the other database by COPY, as superuser's psql would.
"""

from __future__ import annotations

import os
import sys

import django
import psycopg

# Foreign keys there, plain numbers here.
_KEYS = frozenset({"unit", "owner", "parent", "merged_into"})


def main(source_url: str) -> None:
    """Make the tables and fill them."""
    django.setup()
    from django.contrib.auth import get_user_model  # noqa: PLC0415 - after setup
    from django.core.management import call_command  # noqa: PLC0415
    from django.db import connection  # noqa: PLC0415
    from rest_framework.authtoken.models import Token  # noqa: PLC0415

    from tools.bench.plain.models import Customer  # noqa: PLC0415

    call_command("migrate", run_syncdb=True, verbosity=0)
    names = [field.attname for field in Customer._meta.fields]
    there = ", ".join(f"{name}_id" if name in _KEYS else name for name in names)
    read = f"COPY (SELECT {there} FROM identity_customer) TO STDOUT"  # noqa: S608  # nosec B608
    write = f"COPY plain_customer ({', '.join(names)}) FROM STDIN"
    with (
        psycopg.connect(source_url) as source,
        connection.cursor() as cursor,
        source.cursor().copy(read.encode()) as lines,
        cursor.cursor.copy(write) as rows,
    ):
        for block in lines:
            rows.write(block)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
    user = get_user_model().objects.create(username="reader")
    sys.stdout.write(Token.objects.create(user=user).key)


if __name__ == "__main__":
    main(os.environ["SOURCE_URL"])
