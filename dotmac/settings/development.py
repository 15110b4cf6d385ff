"""One machine, loopback only; secrets come from the generated state folder."""

from dotmac.core.telemetry import configure_logging
from dotmac.settings import env
from dotmac.settings.base import *

GATEWAY_MODE = env.text(
    "GATEWAY_MODE", "development", choices=("development", "production")
)
SECRET_KEY = env.secret_file("SECRET_KEY_PATH", SECRETS_DIR / "django.key")
configure_logging(LOG_LEVEL)
