"""Tax classes and their dated rates."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from django.db import transaction

from apps.billing.errors import TaxPercentRefused, TaxRateBackdated
from apps.billing.events import TaxRateSet
from apps.billing.models import TaxClass, TaxRate
from apps.ops import operations as ops
from dotmac.core.actors import Actor
from dotmac.core.db import refusing

_PERCENT_MAX = Decimal(100)
_DIGITS = 6


@transaction.atomic
def set_tax_rate(
    *,
    slug: str,
    name: str,
    label: str,
    percent: Decimal,
    valid_from: date,
    actor: Actor,
    now: datetime,
) -> TaxRate:
    """Let a tax class have this rate from the day on; makes the class when new.

    The standing rate ends on that day. The same rate for the same day again
    changes nothing. Refused where a rate of that day or later stands: what was
    announced is not rewritten.
    """
    _refuse_percent(percent)
    tax_class, _ = TaxClass.objects.get_or_create(slug=slug, defaults={"name": name})
    rates = TaxRate.objects.select_for_update(no_key=True).filter(tax_class=tax_class)
    latest = rates.order_by("-valid_from").first()
    if latest is not None:
        if (latest.valid_from, latest.percent) == (valid_from, percent):
            return latest
        if latest.valid_from >= valid_from:
            raise TaxRateBackdated(field="valid_from")
        latest.valid_to = valid_from
        latest.store("valid_to", now=now)

    with refusing(billing_taxrate_one_at_a_time=TaxRateBackdated):
        rate = TaxRate.objects.create(
            tax_class=tax_class,
            label=label,
            percent=percent,
            valid_from=valid_from,
            created_at=now,
            updated_at=now,
        )
    ops.emit(
        TaxRateSet(
            occurred_at=now,
            tax_class_id=tax_class.pk,
            slug=slug,
            percent=str(percent),
            valid_from=valid_from,
        ),
        actor=actor,
    )
    return rate


def _refuse_percent(percent: Decimal) -> None:
    exact = percent.normalize().as_tuple().exponent
    fits = isinstance(exact, int) and -exact <= _DIGITS
    if not fits or not 0 <= percent <= _PERCENT_MAX:
        raise TaxPercentRefused(field="percent")
