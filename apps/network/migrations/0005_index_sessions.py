from django.db import migrations, models


class Migration(migrations.Migration):
    # Of all sessions: the account's page asks when it was last heard of, and an
    # index without a condition lets a Stop stay on its page as well.
    dependencies = [("network", "0004_add_radius")]
    operations = [
        migrations.RemoveIndex(
            model_name="sessionlive", name="network_session_account"
        ),
        migrations.AddIndex(
            model_name="sessionlive",
            index=models.Index(name="network_session_of_account", fields=["account"]),
        ),
    ]
