"""Fixtures of the audit chain. What needs models is imported when it is used."""

from __future__ import annotations

import os

import psycopg
import pytest


@pytest.fixture
def anchors(tmp_path, settings):
    """A folder of anchors of the test's own."""
    settings.AUDIT_ANCHOR_DIR = tmp_path / "anchors"
    return settings.AUDIT_ANCHOR_DIR


@pytest.fixture
def chained(own_database, anchors):
    """Some entries, chained and anchored."""
    from django.utils import timezone

    from apps.ops import operations
    from tests.ops.chain import ENTRIES, write

    write(ENTRIES)
    operations.anchor_audit(now=timezone.now())
    return own_database


@pytest.fixture
def owner(chained):
    """The owner of the tables, who can switch every guard off."""
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"], autocommit=True) as found:
        for table in ("ops_auditentry", "ops_auditlink"):
            found.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        yield found
