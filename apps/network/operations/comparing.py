"""The same logins asked of an old server and of DotMac, before a NAS is switched."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from django.conf import settings
from django.db import transaction

from apps.network.enums import ComparisonVerdict
from apps.network.errors import ImportNotReady
from apps.network.events import AccountImportChanged
from apps.network.models import AccountImport, AccountImportRow, Nas
from apps.network.operations.checking import own_host
from apps.network.operations.checks import checked
from apps.network.radius.asking import Door, Login, ask, can_ask_from
from apps.network.rules.addressing import parsed_address
from apps.network.rules.imports.comparison import SILENT, differences
from apps.network.selectors.imports import ComparisonSubject, comparison_subjects
from apps.network.selectors.nas_secrets import nas_secret
from apps.ops import operations as ops
from dotmac.core.actors import Actor
from dotmac.core.errors import InvalidInput

# Asked at the same time: an old server holds a refusal back for a second.
ASKERS = 16
RATE_MAX = 1000
# Each server counts to the end of an account by its own clock, and so do we between.
TIMEOUT_APART_S = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class OldServer:
    """The server that is to go, and the NAS as which both are asked.

    `source` is the address that packets leave from: both servers know it as a NAS.
    `mac_form` is a MAC address in the old server's spelling: AA:BB:CC:DD:EE:FF.
    """

    server: tuple[str, int]
    secret: str
    source: str
    chap: bool = False
    mac_form: str = "AA:BB:CC:DD:EE:FF"


@dataclass(frozen=True, slots=True)
class Compared:
    """What became of one login."""

    row_id: int
    login: str
    verdict: ComparisonVerdict
    differences: list[str]


def compare_servers(
    *, old: OldServer, import_id: int | None = None, rate: int = 50
) -> Iterator[Compared]:
    """Ask both servers for every user of the import, else for every open account.

    At most `rate` users a second. No transaction: packets must not wait inside one.
    Writes nothing but what both servers write about logins; `store_comparison` keeps
    the answers. Refused where DotMac has no NAS of that source address, or this
    machine does not have it.
    """
    if not 1 <= rate <= RATE_MAX:
        raise InvalidInput(f"Between 1 and {RATE_MAX}.", field="rate")
    nas = asked_as(old.source)
    own = Door(
        server=(own_host(), settings.RADIUS_AUTH_PORT),
        secret=nas_secret(nas.pk).encode(),
        source=old.source, signed=True,
    )  # fmt: skip
    theirs = Door(
        server=old.server, secret=old.secret.encode(), source=old.source, signed=False
    )
    subjects = comparison_subjects(import_id)
    with ThreadPoolExecutor(ASKERS, thread_name_prefix="compare") as askers:
        while chunk := list(islice(subjects, ASKERS * 4)):
            yield from [
                found.result()
                for found in _asked(chunk, askers, (theirs, own), old, rate)
            ]


def asked_as(source: str) -> Nas:
    """The NAS of that address; raises InvalidInput where DotMac answers none there,
    or this machine does not have the address."""
    address = checked("source", parsed_address, source)
    nas = Nas.objects.filter(address=str(address), enabled=True).first()
    if nas is None:
        raise InvalidInput(f"DotMac has no NAS at {source}.", field="source")
    if not can_ask_from(source):
        raise InvalidInput(
            f"This machine has no IPv4 address {source} to ask from.", field="source"
        )
    return nas


def _asked(
    chunk: Iterable[ComparisonSubject], askers: ThreadPoolExecutor,
    doors: tuple[Door, Door], old: OldServer, rate: int,
) -> list[Future[Compared]]:  # fmt: skip
    """Begun one after the other, no faster than the rate."""
    futures = []
    for subject in chunk:
        futures.append(askers.submit(_compare, subject, doors, old))
        time.sleep(1 / rate)
    return futures


def _compare(
    subject: ComparisonSubject, doors: tuple[Door, Door], old: OldServer
) -> Compared:
    if subject.why or not subject.password:
        return Compared(
            subject.row_id, subject.login, ComparisonVerdict.DIFFERENT,
            [f"DotMac has no such account. {subject.why}".strip()],
        )  # fmt: skip
    theirs, own = doors
    login = Login(
        name=subject.login, password=subject.password, nas_address=old.source,
        mac=_spelt(subject.mac, old.mac_form), chap=old.chap,
    )  # fmt: skip
    before = ask(theirs, login)
    after = ask(own, login)
    told = differences(before, after, timeout_s=TIMEOUT_APART_S)
    if SILENT in (before.verdict, after.verdict):
        verdict = ComparisonVerdict.SILENT
    else:
        verdict = ComparisonVerdict.DIFFERENT if told else ComparisonVerdict.SAME
    return Compared(subject.row_id, subject.login, verdict, told)


def _spelt(mac: str, form: str) -> str:
    """A canonical MAC address in the spelling of the form."""
    if not mac:
        return ""
    mark = form[2:3] if form[2:3] in "-:." else ""
    text = mac.replace(":", mark)
    return text.upper() if form[:1].isupper() else text


@transaction.atomic
def begin_comparison(
    *, import_id: int, source: str, actor: Actor, now: datetime
) -> AccountImport:
    """Forget the answers of an earlier comparison: this one is by the NAS at `source`.

    Refused where that is no NAS, and where the import's rows were forgotten or thrown
    away. Repeating it begins again.
    """
    batch = AccountImport.objects.locked().filter(pk=import_id).first()
    if batch is None:
        raise InvalidInput("There is no such import.", field="import")
    nas = asked_as(source)
    if not batch.rows.exists():
        raise ImportNotReady("Its users were thrown away.")
    batch.rows.exclude(verdict="").update(verdict="", differences=[], updated_at=now)
    batch.compared_at, batch.compared_as = None, nas
    batch.store("compared_at", "compared_as", now=now)
    ops.emit(
        AccountImportChanged(occurred_at=now, record_id=batch.pk, label=batch.name),
        actor=actor,
        changes={"compared_as": nas.name},
    )
    return batch


@transaction.atomic
def store_comparison(
    *, import_id: int, found: list[Compared], now: datetime, done: bool
) -> int:
    """Keep what was found in the rows of the import; `done` marks the end of it.

    Rows that have gone meanwhile are passed over. Storing the same again changes
    nothing. Returns how many rows it was.
    """
    batch = AccountImport.objects.locked().get(pk=import_id)
    by_row = {one.row_id: one for one in found}
    rows = list(batch.rows.filter(pk__in=by_row))
    for row in rows:
        row.verdict = by_row[row.pk].verdict
        row.differences = by_row[row.pk].differences
        row.updated_at = now
    AccountImportRow.objects.bulk_update(
        rows, ["verdict", "differences", "updated_at"], batch_size=500
    )
    if done:
        batch.compared_at = now
        batch.store("compared_at", now=now)
    return len(rows)
