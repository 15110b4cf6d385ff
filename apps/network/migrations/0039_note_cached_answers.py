from django.db import migrations, models

_REASONS = (
    ("open", "Let in"),
    ("throttled", "Let in, throttled"),
    ("walled_garden", "Walled garden"),
    ("expired", "Walled garden: expired"),
    ("cached", "Let in without the database"),
    ("hold", "A hold refuses it"),
    ("mac", "Another device"),
    ("sessions", "Too many sessions"),
    ("password", "Wrong password"),
    ("method", "No common method, or the device broke off"),
    ("unknown", "No such login"),
)
_NAME = "network_accessattempt_reason_known"


class Migration(migrations.Migration):
    dependencies = [("network", "0037_nas_health")]
    operations = [
        migrations.AlterField(
            model_name="accessattempt",
            name="reason",
            field=models.CharField(choices=_REASONS, max_length=16),
        ),
        migrations.RemoveConstraint(model_name="accessattempt", name=_NAME),
        migrations.AddConstraint(
            model_name="accessattempt",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason__in", [name for name, _ in _REASONS])),
                name=_NAME,
            ),
        ),
    ]
