import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("network", "0016_forget_old_sessions"),
    ]

    operations = [
        migrations.CreateModel(
            name="NasAttribute",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                    ),
                ),
                (
                    "updated_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                    ),
                ),
                (
                    "moment",
                    models.CharField(
                        choices=[
                            ("always", "Always"),
                            ("open", "Open"),
                            ("throttled", "Throttled"),
                            ("walled", "In the walled garden"),
                        ],
                        default="always",
                        max_length=16,
                    ),
                ),
                ("attribute", models.CharField(max_length=100)),
                ("op", models.CharField(default=":=", max_length=2)),
                ("value", models.CharField(max_length=253)),
            ],
        ),
        migrations.CreateModel(
            name="VendorMap",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                    ),
                ),
                (
                    "updated_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                    ),
                ),
                ("slug", models.CharField(max_length=32, unique=True)),
                ("label", models.CharField(max_length=64)),
                ("digest", models.CharField(max_length=64)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="VendorRule",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("ordinal", models.PositiveSmallIntegerField()),
                ("attribute", models.CharField(max_length=100)),
                ("op", models.CharField(max_length=2)),
                ("template", models.TextField()),
                ("quoted", models.BooleanField()),
                ("needs", models.PositiveIntegerField()),
                ("unless", models.PositiveIntegerField()),
                ("in_accept", models.BooleanField()),
                ("in_coa", models.BooleanField()),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="nas",
            name="network_nas_vendor_known",
        ),
        migrations.AddField(
            model_name="addresspool",
            name="use",
            field=models.CharField(
                choices=[
                    ("address", "An address of the line"),
                    ("link", "A prefix of the line (Framed-IPv6-Prefix)"),
                    ("delegated", "A delegated prefix (Delegated-IPv6-Prefix)"),
                    ("routed", "A routed block (Framed-Route)"),
                ],
                db_default="address",
                default="address",
                max_length=16,
            ),
        ),
        migrations.AddField(
            model_name="addresspool",
            name="with_v6",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="network.addresspool",
            ),
        ),
        migrations.AddField(
            model_name="nas",
            name="redirect_url",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=200
            ),
        ),
        migrations.AddField(
            model_name="rateprofile",
            name="idle_s",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="rateprofile",
            name="policy",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=64
            ),
        ),
        migrations.AddField(
            model_name="rateprofile",
            name="priority",
            field=models.PositiveSmallIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="rateprofile",
            name="throttled_policy",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=64
            ),
        ),
        migrations.AddField(
            model_name="rateprofile",
            name="told_session",
            field=models.BigIntegerField(editable=False, null=True),
        ),
        migrations.AlterField(
            model_name="nas",
            name="vendor",
            field=models.CharField(default="mikrotik", max_length=32),
        ),
        migrations.AddConstraint(
            model_name="addresspool",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("use__in", ["address", "link", "delegated", "routed"])
                ),
                name="network_addresspool_use_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="addresspool",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("with_v6__isnull", True),
                    ("with_v6__lt", models.F("id")),
                    _connector="OR",
                ),
                name="network_addresspool_partner_is_older",
            ),
        ),
        migrations.AddConstraint(
            model_name="rateprofile",
            constraint=models.CheckConstraint(
                condition=models.Q(("priority__range", (0, 8))),
                name="network_rateprofile_priority_in_range",
            ),
        ),
        migrations.AddField(
            model_name="nasattribute",
            name="nas",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="attributes",
                to="network.nas",
            ),
        ),
        migrations.AddField(
            model_name="vendorrule",
            name="vendor",
            field=models.ForeignKey(
                db_column="vendor",
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="rules",
                to="network.vendormap",
                to_field="slug",
            ),
        ),
        migrations.AddConstraint(
            model_name="nasattribute",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("moment__in", ["always", "open", "throttled", "walled"])
                ),
                name="network_nasattribute_moment_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="nasattribute",
            constraint=models.CheckConstraint(
                condition=models.Q(("op__in", (":=", "+="))),
                name="network_nasattribute_op_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="vendorrule",
            constraint=models.UniqueConstraint(
                fields=("vendor", "ordinal"), name="network_vendorrule_one_per_ordinal"
            ),
        ),
        # A pool of blocks delegated them; one of IPv4 blocks can only have routed them.
        migrations.RunSQL(
            """
            UPDATE network_addresspool o
               SET use = CASE WHEN EXISTS (SELECT FROM network_prefix p
                                            WHERE p.pool_id = o.id AND family(p.cidr) = 4)
                         THEN 'routed' ELSE 'delegated' END
             WHERE delegated_length IS NOT NULL
            """,
            migrations.RunSQL.noop,
        ),
    ]
