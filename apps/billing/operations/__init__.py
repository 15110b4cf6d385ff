"""What billing can do, in the order of the life of money."""

from apps.billing.operations.ledger import post, reverse
from apps.billing.operations.numbers import reference_of, take_numbers

__all__ = [
    "post",
    "reference_of",
    "reverse",
    "take_numbers",
]
