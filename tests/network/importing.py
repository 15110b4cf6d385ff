"""Files of other servers, as short as a test may say them."""

from __future__ import annotations

from zoneinfo import ZoneInfo

LAGOS = ZoneInfo("Africa/Lagos")


def checks(*rows: str) -> tuple[str, bytes]:
    """radcheck.csv of "login,attribute,op,value" lines."""
    return "radcheck.csv", _csv("username", rows)


def replies(*rows: str) -> tuple[str, bytes]:
    return "radreply.csv", _csv("username", rows)


def _csv(owner: str, rows: tuple[str, ...]) -> bytes:
    lines = [f"{number},{row}" for number, row in enumerate(rows, 1)]
    return "\n".join([f"id,{owner},attribute,op,value", *lines, ""]).encode()


def passwords(*logins: str) -> list[str]:
    return [f"{login},Cleartext-Password,:=,pw of {login}" for login in logins]


def speeds(*logins: str) -> list[str]:
    return [f"{login},Mikrotik-Rate-Limit,:=,5M/10M" for login in logins]


def read(do, *files: tuple[str, bytes], **facts):
    """A preview of these files."""
    return do.begin_import(name="old.csv", files=files, zone=LAGOS, **facts)


def rows_of(batch):
    return list(batch.rows.order_by("number"))


def carried(batch, now) -> list[int]:
    """Carries it to the end; how many users each chunk had."""
    from apps.network import operations

    chunks = []
    while count := operations.carry_import(now=now, import_id=batch.pk):
        chunks.append(count)
    batch.refresh_from_db()
    return chunks
