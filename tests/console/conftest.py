import pytest


@pytest.fixture
def enter_console():
    """enter_console(person) is a browser signed in to the console."""
    from tests.sessions import enter

    return enter
