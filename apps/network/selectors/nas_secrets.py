"""Which secret is shared with a NAS now, and what becomes of another one."""

from __future__ import annotations

from collections.abc import Iterable

from apps.network.models import Nas, NasSecret
from dotmac.core.models import open_sealed, sealed_equal

SHARING_MAX = 20
CHANGES_MAX = 20


def nas_secret(nas_id: int) -> str:
    """The clear secret shared with the NAS now: shown once when it was made, and
    for the programs that speak RADIUS."""
    return nas_secrets([Nas.objects.get(pk=nas_id)])[nas_id]


def nas_secrets(nases: Iterable[Nas]) -> dict[int, str]:
    """The same of several, by id: one query, whatever their number."""
    wanted = {nas.pk: nas for nas in nases}
    switched = {
        row.nas_id: row
        for row in NasSecret.objects.in_effect().filter(nas_id__in=wanted)
    }
    return {
        pk: open_sealed(switched.get(pk, nas), "secret") for pk, nas in wanted.items()
    }


def nas_secret_change(nas_id: int) -> NasSecret | None:
    """The secret that the NAS is being changed to, if there is one."""
    return NasSecret.objects.filter(nas_id=nas_id).open().first()


def nas_secret_changes(nas_id: int) -> list[NasSecret]:
    """The last changes (at most CHANGES_MAX), the latest first."""
    rows = NasSecret.objects.filter(nas_id=nas_id).order_by("-version")
    return list(rows[:CHANGES_MAX])


def latest_nas_secret_change(nas_id: int) -> NasSecret | None:
    """The one that waits, or else how the last one ended."""
    return NasSecret.objects.filter(nas_id=nas_id).order_by("-version").first()


def nas_sharing_secret(nas: Nas) -> list[Nas]:
    """Other NASes with the very same secret (at most SHARING_MAX), by name.

    Who learns one of them can speak for all, so each should have its own.
    """
    same = sealed_equal(Nas, "secret_index", open_sealed(nas, "secret"))
    return list(
        Nas.objects.filter(same).exclude(pk=nas.pk).order_by("name")[:SHARING_MAX]
    )
