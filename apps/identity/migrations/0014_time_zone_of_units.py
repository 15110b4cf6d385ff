from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("identity", "0013_grants_stay_in_rows")]
    operations = [
        migrations.AddField(
            model_name="organisationunit",
            name="time_zone",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=64
            ),
        ),
    ]
