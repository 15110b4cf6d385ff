"""The bed of the tests of access: built once for a module, put back after each test."""

import pytest
from django.db import transaction


@pytest.fixture(scope="module")
def whole_bed(django_db_setup, django_db_blocker):
    """Built in a transaction that is never committed.

    pytest-django's own ends with each test, and building costs more than most of
    the tests that look at it.
    """
    from tests.promises import access_bed
    from tests.world import World

    with django_db_blocker.unblock(), transaction.atomic():
        yield access_bed.build(World())
        transaction.set_rollback(True)


@pytest.fixture
def bed(whole_bed):
    """One customer of the operator, one of a reseller, and all the people."""
    from tests.promises.access_bed import standing

    with standing():
        yield whole_bed
