from django.db import migrations


class Migration(migrations.Migration):
    """A vendor is a text in Django, and one that has a map in the database."""

    dependencies = [("network", "0021_add_radius_reply")]
    operations = [
        migrations.RunSQL(
            """
            ALTER TABLE network_nas ADD CONSTRAINT network_nas_vendor_known
                FOREIGN KEY (vendor) REFERENCES network_vendormap (slug)
            """,
            "ALTER TABLE network_nas DROP CONSTRAINT network_nas_vendor_known",
        ),
        migrations.RunSQL(
            "CREATE INDEX network_nas_vendor ON network_nas (vendor)",
            "DROP INDEX network_nas_vendor",
        ),
    ]
