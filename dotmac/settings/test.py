"""Real servers, fresh secrets. tests/conftest.py sets the addresses."""

from dotmac.core.outside import networks_of
from dotmac.core.telemetry import configure_logging
from dotmac.settings import env
from dotmac.settings.base import *

ENVIRONMENT = "test"
# Tests of the limiter switch it on; the others are not slowed by it.
RATE_LIMIT_ENABLED = False
# The machine is shared: what is measured elsewhere must not be refused here.
RATE_LIMIT_TIMEOUT_MS = 1000
# Providers and the payment gateway of the tests are servers on loopback.
OUTBOUND_ALLOWED_NETWORKS = networks_of("127.0.0.0/8 ::1/128")
SECRET_KEY = env.throwaway_secret()
ALLOWED_HOSTS = ["testserver", "127.0.0.1", "localhost"]
# One connection a thread, closed with it: pools outlive the test's database.
DATABASES["default"].pop("OPTIONS", None)
STORAGES["staticfiles"] = {
    "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
}
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 30}
# The same algorithm at the lowest cost: a cast of eight signs in for each test.
PASSWORD_HASHERS = ["tests.quick_hasher.QuickArgon2"]
configure_logging("WARNING")
