"""Paystack's stand-in as a fixture."""

from __future__ import annotations

import pytest

from dotmac.devtools.paystack import PaystackSimulator


@pytest.fixture
def gateway(settings, tmp_path):
    """Paystack's stand-in, and the settings that point at it."""
    key = tmp_path / "gateway.key"
    key.write_text("sk_test_for_tests_only")
    key.chmod(0o600)
    settings.PAYSTACK_SECRET_KEY_PATH = key
    with PaystackSimulator(secret_key=key.read_text()) as simulator:
        settings.PAYSTACK_BASE_URL = simulator.url
        settings.PAYSTACK_TIMEOUT_S = 5
        yield simulator
