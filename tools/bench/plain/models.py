"""The columns of identity_customer that the list shows."""

from django.db import models


class Customer(models.Model):
    reference = models.CharField(max_length=20, unique=True)
    kind = models.CharField(max_length=16)
    name = models.CharField(max_length=200)
    email = models.CharField(max_length=254, db_index=True)
    phone = models.CharField(max_length=20, db_index=True)
    state = models.CharField(max_length=16)
    unit = models.BigIntegerField(db_index=True)
    currency = models.CharField(max_length=3)
    address = models.CharField(max_length=300)
    city = models.CharField(max_length=120)
    region = models.CharField(max_length=120)
    postal_code = models.CharField(max_length=20)
    country = models.CharField(max_length=2)
    tax_number = models.CharField(max_length=40)
    source = models.CharField(max_length=80)
    owner = models.BigIntegerField(null=True, db_index=True)
    parent = models.BigIntegerField(null=True, db_index=True)
    custom = models.JSONField(default=dict)
    activated_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    merged_into = models.BigIntegerField(null=True, db_index=True)
    erased_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        app_label = "plain"

    def __str__(self) -> str:
        return self.reference
