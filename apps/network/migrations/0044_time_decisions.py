from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("network", "0043_find_accounts_by_handles")]
    operations = [
        migrations.AddField(
            model_name="accessattempt",
            name="took_us",
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="nashealth",
            name="p50_us",
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="nashealth",
            name="p99_us",
            field=models.PositiveIntegerField(null=True),
        ),
    ]
