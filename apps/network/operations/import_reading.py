"""Reading users of another RADIUS server: what would become of each, and why.

An import is read whole before anything is done, so that people see it first.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, tzinfo
from itertools import islice
from typing import Any

from django.db import transaction

from apps.network.enums import ImportRowState, ImportSource
from apps.network.events import AccountImportBegun
from apps.network.models import (
    AccessAccount,
    AccountImport,
    AccountImportRow,
    Nas,
    RateProfile,
)
from apps.network.operations.checks import named
from apps.network.operations.import_ground import (
    Ground,
    Home,
    ground_of,
    held_already,
)
from apps.network.rules.credentials import MalformedText
from apps.network.rules.imports import (
    ImportedUser,
    Tables,
    tables_of_files,
    users_of_radius,
    users_of_user_manager,
)
from apps.ops import operations as ops
from dotmac.core.actors import Actor
from dotmac.core.db import copy_rows, next_ids
from dotmac.core.errors import InvalidInput
from dotmac.core.models import seal_for

CHUNK = 500
USERS_MAX = 100_000
_LOGIN_SHOWN = 253
_COLUMNS = (
    "id", "batch", "number", "place", "login", "state", "reason", "facts", "verdict",
    "differences",
)  # fmt: skip


@transaction.atomic
def begin_import(
    *, name: str, files: Sequence[tuple[str, bytes]] = (), tables: Tables | None = None,
    zone: tzinfo, profile_id: int | None = None, nas_id: int | None = None,
    actor: Actor, now: datetime,
) -> AccountImport:  # fmt: skip
    """Read users, and say of each what would become of it. No account is opened.

    They stand in files (name and content), or in tables that were read elsewhere.
    Passwords are sealed row by row, and only of users that can be imported; ends of
    accounts are read on the zone's clock. Refused where no file has users, and with
    more than USERS_MAX. Each call makes another import.
    """
    named(name, maximum=120)
    if tables is None:
        tables = _tables_of(files)
    manager = tables.is_user_manager
    users = (users_of_user_manager if manager else users_of_radius)(tables, zone)
    if not 0 < len(users) <= USERS_MAX:
        raise InvalidInput(f"Between 1 and {USERS_MAX} users at once.", field="file")
    batch = AccountImport.objects.create(
        name=name,
        source=ImportSource.USER_MANAGER if manager else ImportSource.RADIUS,
        profile=_chosen(RateProfile, "profile_id", profile_id),
        nas=_chosen(Nas, "nas_id", nas_id),
        left=tables.left,
        actor_label=actor.label[:200],
        created_at=now,
        updated_at=now,
    )
    broken = [
        ImportedUser(place=place, login="", faults=(why,))
        for place, why in tables.faults
    ]
    ground = ground_of(profile=batch.profile, nas=batch.nas)
    number, claimed = 0, {}  # type: tuple[int, dict[tuple[int, str], str]]
    for chunk in _chunks([*users, *broken]):
        # Made before: while COPY runs, the connection answers no questions.
        rows = list(_rows(batch, chunk, number, _foreseen(chunk, ground, claimed)))
        number += copy_rows(AccountImportRow, _COLUMNS, rows)
    ops.emit(
        AccountImportBegun(occurred_at=now, record_id=batch.pk, label=name),
        actor=actor,
        changes={"source": batch.source, "users": len(users)},
    )
    return batch


def _tables_of(files: Sequence[tuple[str, bytes]]) -> Tables:
    try:
        return tables_of_files(files)
    except MalformedText as complaint:
        raise InvalidInput(str(complaint), field="file") from None


def _chosen(model: type[Any], field: str, key: int | None) -> Any:
    if key is None:
        return None
    row = model.objects.filter(pk=key).first()
    if row is None:
        raise InvalidInput("There is no such record.", field=field)
    return row


def _chunks(users: Iterable[ImportedUser]) -> Iterator[list[ImportedUser]]:
    left = iter(users)
    while chunk := list(islice(left, CHUNK)):
        yield chunk


def _rows(
    batch: AccountImport,
    chunk: list[ImportedUser],
    number: int,
    complaints: list[list[str]],
) -> Iterator[tuple[Any, ...]]:
    """Rows for COPY, numbered from behind `number`."""
    ids = next_ids(AccountImportRow, len(chunk))
    for key, user, faults in zip(ids, chunk, complaints, strict=True):
        number += 1
        ready = not faults
        facts = json.dumps(user.document()) if ready else ""
        yield (
            key, batch.pk, number, user.place[:200], user.login[:_LOGIN_SHOWN],
            ImportRowState.READY if ready else ImportRowState.REFUSED,
            " ".join([*faults, *user.notes]),
            seal_for(AccountImportRow, "facts", key, facts) if ready else None,
            "",
            "[]",
        )  # fmt: skip


def _foreseen(
    chunk: list[ImportedUser], ground: Ground, claimed: dict[tuple[int, str], str]
) -> list[list[str]]:
    """Why each cannot be imported as things stand; nothing where it can."""
    logins = [user.login for user in chunk]
    active = AccessAccount.objects.active().filter(login__in=logins)
    in_use = set(active.values_list("login", flat=True))
    homes: list[list[Home]] = []
    complaints: list[list[str]] = []
    for user in chunk:
        faults = list(user.faults)
        if user.login in in_use:
            faults.append("An open account has this login.")
        mine: list[Home] = []
        if not user.faults:
            mine = _complaints(user, ground, faults)
        homes.append(mine)
        complaints.append(faults)
    held = held_already([home for mine in homes for home in mine])
    for user, mine, faults in zip(chunk, homes, complaints, strict=True):
        for home in mine:
            key = (home.prefix.vrf_id, home.text)
            other = claimed.setdefault(key, user.login)
            if key in held:
                faults.append(f"Another account holds {home.text}.")
            elif other != user.login:
                faults.append(f"{other} of this import has {home.text} as well.")
    return complaints


def _complaints(user: ImportedUser, ground: Ground, faults: list[str]) -> list[Home]:
    """Adds what the ground has against the user; returns where its addresses lie."""
    homes: list[Home] = []
    try:
        homes = ground.homes(user)
        ground.pool_id(user, homes)
    except InvalidInput as complaint:
        faults.append(complaint.detail)
    for require in (ground.require_cover, ground.require_speed):
        try:
            require(user)
        except InvalidInput as complaint:
            faults.append(complaint.detail)
    return homes
