from django.db import migrations, models
from django.db.models.functions import Now
from netfields import CidrAddressField, InetAddressField

# The history is not Django's: the same columns, in the same order, since rows
# move between the two tables whole. A session that is there was heard of when its
# NAS said so, as far as anybody knows.
_HISTORY = """
ALTER TABLE network_sessionhistory
    ADD COLUMN heard_at timestamptz NOT NULL DEFAULT statement_timestamp(),
    ADD COLUMN framed_ipv6 inet,
    ADD COLUMN framed_ipv6_prefix cidr,
    ADD COLUMN delegated_prefix cidr,
    ADD COLUMN circuit varchar(253) NOT NULL DEFAULT '',
    ADD COLUMN called varchar(253) NOT NULL DEFAULT '';
UPDATE network_sessionlive SET heard_at = seen_at;
UPDATE network_sessionhistory SET heard_at = seen_at;
"""
_HISTORY_BACK = """
ALTER TABLE network_sessionhistory
    DROP COLUMN called, DROP COLUMN circuit, DROP COLUMN delegated_prefix,
    DROP COLUMN framed_ipv6_prefix, DROP COLUMN framed_ipv6, DROP COLUMN heard_at;
"""


def _column(name: str, field: models.Field) -> migrations.AddField:
    return migrations.AddField(model_name="sessionlive", name=name, field=field)


def _text() -> models.CharField:
    return models.CharField(blank=True, db_default="", default="", max_length=253)


class Migration(migrations.Migration):
    dependencies = [("network", "0011_see_radius_sessions")]
    operations = [
        _column("heard_at", models.DateTimeField(db_default=Now())),
        _column("framed_ipv6", InetAddressField(null=True, store_prefix_length=False)),
        _column("framed_ipv6_prefix", CidrAddressField(null=True)),
        _column("delegated_prefix", CidrAddressField(null=True)),
        _column("circuit", _text()),
        _column("called", _text()),
        migrations.RunSQL(_HISTORY, _HISTORY_BACK),
    ]
