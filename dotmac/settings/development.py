"""One machine, loopback only; secrets come from the generated state folder."""

from dotmac.core.telemetry import configure_logging
from dotmac.settings import env
from dotmac.settings.base import *

GATEWAY_MODE = env.text(
    "GATEWAY_MODE", "development", choices=("development", "production")
)
# Simulators, and providers that are tried out, stand on this machine.
OUTBOUND_ALLOWED_NETWORKS = env.networks(
    "OUTBOUND_ALLOWED_NETWORKS", "127.0.0.0/8 ::1/128"
)
SECRET_KEY = env.secret_file("SECRET_KEY_PATH", SECRETS_DIR / "django.key")
env.key_file("ENCRYPTION_KEY_PATH", ENCRYPTION_KEY_PATH)
env.key_file("JWT_KEY_PATH", JWT_KEY_PATH)
env.key_file("AUDIT_KEY_PATH", AUDIT_KEY_PATH)
configure_logging(LOG_LEVEL)
