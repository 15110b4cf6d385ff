"""The state of an issued invoice follows its amounts."""

from __future__ import annotations


def state_after(
    *, state: str, total_minor: int, allocated_minor: int, credited_minor: int
) -> str:
    """The state that fits the amounts; an uncollectible one stays so until paid.

    The CHECK `billing_invoice_state_fits_amounts` holds the same table.
    """
    assert state != "draft"
    assert 0 <= allocated_minor + credited_minor <= total_minor
    if total_minor and credited_minor == total_minor:
        return "void"
    if allocated_minor + credited_minor == total_minor:
        return "paid"
    return "uncollectible" if state == "uncollectible" else "open"
