"""Behind TLS; refuses weak, default or readable secrets and debug."""

from django.core.exceptions import ImproperlyConfigured

from dotmac.core.telemetry import configure_logging
from dotmac.settings import env
from dotmac.settings.base import *

# Whatever started this process: development's liberties are asked by this name.
ENVIRONMENT = "production"
if DEBUG:
    raise ImproperlyConfigured("DEBUG must be off in production.")
if not SECURITY_ENABLED or DEMO:
    raise ImproperlyConfigured("Production runs with SECURITY_ENABLED and no DEMO.")
if not RATE_LIMIT_ENABLED:
    raise ImproperlyConfigured("Production runs with RATE_LIMIT_ENABLED.")
if GATEWAY_MODE != "production":
    raise ImproperlyConfigured("Production runs with GATEWAY_MODE=production.")

SECRET_KEY = env.secret_file(
    "SECRET_KEY_PATH", SECRETS_DIR / "django.key", length_min=50
)
env.key_file("ENCRYPTION_KEY_PATH", ENCRYPTION_KEY_PATH)
env.key_file("JWT_KEY_PATH", JWT_KEY_PATH)
env.key_file("AUDIT_KEY_PATH", AUDIT_KEY_PATH)
SECURE_SSL_REDIRECT = env.flag("SECURE_SSL_REDIRECT", default=True)
# Watchers inside the house ask without TLS. Programs are refused, not redirected: a
# token that once went over plain HTTP is not private any more (shields.py).
SECURE_REDIRECT_EXEMPT = [r"^health(/|$)", r"^api/"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
configure_logging(LOG_LEVEL)
