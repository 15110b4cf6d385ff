"""What the API shows of the octets of one account."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.network.enums import UsageWindow


class AccountUsageHourSerializer(serializers.Serializer[Any]):
    hour_at = serializers.DateTimeField()
    octets_in = serializers.IntegerField()
    octets_out = serializers.IntegerField()


class AccountUsageWindowSerializer(serializers.Serializer[Any]):
    window = serializers.ChoiceField(choices=UsageWindow.choices)
    start = serializers.DateTimeField()
    end = serializers.DateTimeField(help_text="Excluded.")
    octets_in = serializers.IntegerField(help_text="From the subscriber.")
    octets_out = serializers.IntegerField(help_text="To the subscriber.")
    exact = serializers.BooleanField(
        help_text="False: hours are cut on the operator's clock, part of an hour off;"
        " the hour in which the window begins counts to the one before."
    )


class AccountUsageSerializer(serializers.Serializer[Any]):
    account = serializers.IntegerField()
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    octets_in = serializers.IntegerField(help_text="From the subscriber.")
    octets_out = serializers.IntegerField(help_text="To the subscriber.")
    hours = AccountUsageHourSerializer(many=True)
    zone = serializers.CharField(help_text="The clock of dates and windows.")
    windows = AccountUsageWindowSerializer(
        many=True, help_text="The day, week and month of now on that clock, so far."
    )
