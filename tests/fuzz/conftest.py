"""The people and objects that requests are made for."""

import pytest

from tests.promises.conftest import bed, whole_bed

__all__ = ["bed", "whole_bed"]


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """Do not even read them in other runs: schemathesis takes a second to import."""
    return True if "not fuzz" in str(config.getoption("markexpr")) else None
