"""What a program does once, when it begins."""

import gc

import pytest


@pytest.mark.unit
def test_garbage_is_looked_for_once_everything_is_imported():
    assert gc.isenabled()
    assert gc.get_freeze_count() > 0
