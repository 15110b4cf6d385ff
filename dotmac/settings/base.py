"""What all environments share. Values come from the environment and from files."""

from __future__ import annotations

import gc
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import django_stubs_ext
from kombu import Queue
from whitenoise.compress import Compressor

from dotmac.settings import env, services
from dotmac.settings.network import *
from dotmac.settings.places import BASE_DIR, STATE_DIR

# What a program imports stays: to look for garbage among it took a sixth of each
# start. GatewayConfig.ready() turns the search on again.
gc.disable()

# Generic bases (ModelAdmin[Customer]) are written as the stubs have them.
django_stubs_ext.monkeypatch()

VERSION = "0.1.0"

ENVIRONMENT = env.text(
    "ENVIRONMENT",
    "development",
    choices=("development", "staging", "production", "test"),
)
DEBUG = env.flag("DEBUG", default=False)
LOG_LEVEL = env.text("LOG_LEVEL", "INFO", choices=("DEBUG", "INFO", "WARNING", "ERROR"))
DEMO = env.flag("DEMO", default=False)

# Zero trust is not a switch in production; development may open single doors.
SECURITY_ENABLED = env.flag("SECURITY_ENABLED", default=True)
RATE_LIMIT_ENABLED = env.flag("RATE_LIMIT_ENABLED", default=True)
# Processes that serve requests: each grants its share while Redis is away.
RATE_LIMIT_PROCESSES = env.number("RATE_LIMIT_PROCESSES", 4)
# How long a request waits for the limiter's Redis, in milliseconds. After two that
# waited in vain none does; much less would shut the doors of a busy machine.
RATE_LIMIT_TIMEOUT_MS = env.number("RATE_LIMIT_TIMEOUT_MS", 200)
# How open the gateway is: a developer's machine, or the Internet.
GATEWAY_MODE = env.text(
    "GATEWAY_MODE", "production", choices=("development", "production")
)
# One part of the platform for this process, all of it when empty; and where the
# other parts run, when this process is the gateway before them.
DOTMAC_SERVICE = services.service(env.text("DOTMAC_SERVICE", ""))
UPSTREAM_SERVICES = services.upstreams(env.text("UPSTREAM_SERVICES", ""))
UPSTREAM_TIMEOUT_S = env.number("UPSTREAM_TIMEOUT_S", 30)
# Networks inside the house that calls to the outside may reach (dotmac.core.outside).
OUTBOUND_ALLOWED_NETWORKS = env.networks("OUTBOUND_ALLOWED_NETWORKS", "")

SECRETS_DIR = STATE_DIR / "secrets"
ENCRYPTION_KEY_PATH = env.path(
    "ENCRYPTION_KEY_PATH", str(SECRETS_DIR / "encryption.key")
)
JWT_KEY_PATH = env.path("JWT_KEY_PATH", str(SECRETS_DIR / "jwt.key"))
AUDIT_KEY_PATH = env.path("AUDIT_KEY_PATH", str(SECRETS_DIR / "audit.key"))
AUDIT_ANCHOR_DIR = env.path("AUDIT_ANCHOR_DIR", str(STATE_DIR / "anchors"))
PAYSTACK_SECRET_KEY_PATH = env.path(
    "PAYSTACK_SECRET_KEY_PATH", str(SECRETS_DIR / "paystack.key")
)
PAYSTACK_BASE_URL = env.text("PAYSTACK_BASE_URL", "https://api.paystack.co")
PAYSTACK_TIMEOUT_S = env.number("PAYSTACK_TIMEOUT_S", 10)

OPERATOR_NAME = env.text("OPERATOR_NAME", "Demo ISP")
OPERATOR_TIME_ZONE = env.text("OPERATOR_TIME_ZONE", "Africa/Lagos")
OPERATOR_ZONE = ZoneInfo(OPERATOR_TIME_ZONE)
OPERATOR_CURRENCY = env.text("OPERATOR_CURRENCY", "NGN")
OPERATOR_COUNTRY = env.text("OPERATOR_COUNTRY", "NG")
OPERATOR_ADDRESS = env.text("OPERATOR_ADDRESS", "")
OPERATOR_TAX_NUMBER = env.text("OPERATOR_TAX_NUMBER", "")
OPERATOR_BANK_DETAILS = env.text("OPERATOR_BANK_DETAILS", "")
OPERATOR_PHONE = env.text("OPERATOR_PHONE", "")
OUTBOX_LEASE_S = env.number("OUTBOX_LEASE_S", 30)
INVOICE_DUE_DAYS = env.number("INVOICE_DUE_DAYS", 14)

BASE_URL = env.text("BASE_URL", "http://127.0.0.1:8000").rstrip("/")
# How many proxies of ours stand in front and write X-Forwarded-For.
TRUSTED_PROXY_COUNT = env.number("TRUSTED_PROXY_COUNT", 0)
ALLOWED_HOSTS = env.text("ALLOWED_HOSTS", "127.0.0.1,localhost").split(",")
CSRF_TRUSTED_ORIGINS = [BASE_URL]

_url = env.address("DATABASE_URL", "postgresql://dotmac_app@127.0.0.1:5432/dotmac")
_pool: dict[str, Any] = {
    "min_size": 1,
    "max_size": env.number("DATABASE_POOL_MAX", 8),
    "timeout": 10,
}
DATABASES: dict[str, dict[str, Any]] = {
    "default": {**env.database(_url), "OPTIONS": {"pool": _pool}},
    # The same database as its owner: `migrate` uses it and nothing else does.
    "owner": env.database(env.address("DATABASE_OWNER_URL", _url)),
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.address("REDIS_URL", "redis://127.0.0.1:6379/0")
CACHES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "dotmac",
    }
}
CELERY_BROKER_URL = REDIS_URL
CELERY_RESULT_BACKEND = None
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_TIME_LIMIT = 300
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 600}
CELERY_TIMEZONE = OPERATOR_TIME_ZONE
CELERY_TASK_DEFAULT_QUEUE = "dotmac"
# What a person or a device waits for does not stand behind a bill run's events.
# Each worker takes from both in turn; `celery worker -Q dotmac.urgent` is one for
# these alone.
URGENT_QUEUE = "dotmac.urgent"
CELERY_TASK_QUEUES = (Queue(URGENT_QUEUE), Queue(CELERY_TASK_DEFAULT_QUEUE))
CELERY_TASK_ROUTES = {
    "catalog.run_provisioning": {"queue": URGENT_QUEUE},
    "network.send_coa_requests": {"queue": URGENT_QUEUE},
}

INSTALLED_APPS = [
    "dotmac.gateway.apps.DotMacAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "dotmac.gateway.apps.DotMacStaticFilesConfig",
    "django.contrib.postgres",
    "netfields",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_otp",
    "axes",
    "guardian",
    "csp",
    "django_htmx",
    "apps.ops",
    "apps.identity",
    "apps.federation",
    "apps.network",
    "apps.catalog",
    "apps.billing",
    "apps.analytics",
    "dotmac.gateway",
    "dotmac.console",
    "dotmac.portal",
    "dotmac.devtools",
]

MIDDLEWARE = [
    "dotmac.gateway.middleware.RequestIdMiddleware",
    # What every answer carries, refusals and static files too.
    "dotmac.gateway.shields.HeadersMiddleware",
    # Outside every transaction of the request.
    "dotmac.core.denials.DenialMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "dotmac.gateway.shields.ContentPolicyMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "dotmac.gateway.shields.OriginMiddleware",
    "dotmac.gateway.middleware.BodyLimitMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "dotmac.gateway.limits.middleware.DoorLimitMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "dotmac.gateway.authentication.ActorMiddleware",
    "dotmac.gateway.limits.middleware.ActorLimitMiddleware",
    "dotmac.gateway.services.middleware.ServiceMiddleware",
    "dotmac.gateway.versions.middleware.VersionMiddleware",
    "dotmac.gateway.step_up.StepUpMiddleware",
    "dotmac.portal.look.LookMiddleware",
    "dotmac.gateway.idempotency.IdempotencyMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "dotmac.urls"
WSGI_APPLICATION = "dotmac.wsgi.application"
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "dotmac" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "dotmac.console.navigation.shell",
            ],
            "libraries": {"dotmac_ui": "dotmac.core.console.tags"},
        },
    }
]

AUTH_USER_MODEL = "identity.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    "guardian.backends.ObjectPermissionBackend",
]
PASSWORD_HASHERS = ["dotmac.core.hashers.Argon2idHasher"]
# What a password must be like: apps/identity/rules/passwords.py.
AUTH_PASSWORD_VALIDATORS: list[dict[str, Any]] = []

# Passkeys belong to a host name; browsers make none for bare addresses, so that
# a site at 127.0.0.1 has them when it is opened as localhost.
_site = urlsplit(BASE_URL)
_passkey_host = "localhost" if _site.hostname == "127.0.0.1" else _site.hostname or ""
_passkey_port = f":{_site.port}" if _site.port else ""
PASSKEY_HOST = env.text("PASSKEY_HOST", _passkey_host)
PASSKEY_ORIGINS = env.text(
    "PASSKEY_ORIGINS", f"{_site.scheme}://{_passkey_host}{_passkey_port}"
).split()

LANGUAGE_CODE = "en"
TIME_ZONE = OPERATOR_TIME_ZONE
USE_I18N = True
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = env.path("STATIC_ROOT", str(STATE_DIR / "static"))
STATICFILES_DIRS = [BASE_DIR / "dotmac" / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# Closed like all else: whitenoise would open static files to every origin.
WHITENOISE_ALLOW_ALL_ORIGINS = False
# Only somebody who debugs swagger-ui loads its map: not worth compressing each time.
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = (*Compressor.SKIP_COMPRESS_EXTENSIONS, "map")

CSRF_FAILURE_VIEW = "dotmac.console.views.errors.csrf_refused"
LOGIN_URL = "/console/sign-in"
PORTAL_LOGIN_URL = "/portal/sign-in"
STEP_UP_URL = "/console/step-up"
STEP_UP_PASSKEY_URL = "/console/passkey/"

# Nothing inline, nothing from elsewhere. data: images are Tabler's select arrows.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "manifest-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
    }
}
# A payment form of the portal may end on the gateway's hosted page.
CHECKOUT_ORIGINS = env.text("CHECKOUT_ORIGINS", "https://checkout.paystack.com")
_gateway = urlsplit(PAYSTACK_BASE_URL)
CHECKOUT_FORM_ORIGINS = [
    *CHECKOUT_ORIGINS.split(),
    f"{_gateway.scheme}://{_gateway.netloc}",
]

SESSION_ENGINE = "dotmac.core.sessions"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
CSRF_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
ADMIN_ROOT = "/admin/"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500

EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_HOST = env.text("EMAIL_HOST", "127.0.0.1")
EMAIL_PORT = env.number("EMAIL_PORT", 25)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "billing@demo-isp.example")

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "dotmac.gateway.authentication.BearerAuthentication"
    ],
    "DEFAULT_PERMISSION_CLASSES": ["dotmac.core.api.permissions.DeclaredPermission"],
    "DEFAULT_PAGINATION_CLASS": "dotmac.core.api.pagination.KeysetPagination",
    "DEFAULT_FILTER_BACKENDS": ["dotmac.core.api.filters.DeclaredFilters"],
    "DEFAULT_RENDERER_CLASSES": ["dotmac.core.api.renderers.OrjsonRenderer"],
    "DEFAULT_PARSER_CLASSES": ["dotmac.core.api.parsers.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "dotmac.core.api.schema.ProblemAutoSchema",
    "EXCEPTION_HANDLER": "dotmac.core.api.problems.exception_handler",
    "UNAUTHENTICATED_USER": None,
    "COERCE_DECIMAL_TO_STRING": True,
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "DotMac API",
    "DESCRIPTION": "Runs an Internet service provider: customers, services, network, "
    "billing. Errors are RFC 9457 problems with a stable `code`.",
    "VERSION": "v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["dotmac.gateway.openness.DescriptionPermission"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_ADD_EXPLICIT_BLANK_NULL_CHOICE": False,
    # Where several resources use one field name for other words.
    "ENUM_NAME_OVERRIDES": {
        "InvoiceStateEnum": "apps.billing.api.invoices._STATES",
        "InvoiceKindEnum": "apps.billing.enums.InvoiceKind",
        "PaymentMethodEnum": "apps.billing.enums.PaymentMethod",
        "PaymentStateEnum": "apps.billing.enums.PaymentState",
        "OrderStateEnum": "apps.catalog.enums.OrderState",
        "PlanKindEnum": "apps.catalog.enums.PlanKind",
        "PlanStateEnum": "apps.catalog.enums.PlanState",
        "ShownStateEnum": "apps.catalog.enums.ShownState",
        "StepStateEnum": "apps.catalog.enums.StepState",
        "CustomerKindEnum": "apps.identity.enums.CustomerKind",
        "CustomerStateEnum": "apps.identity.enums.CustomerState",
        "DocumentKindEnum": "apps.identity.enums.DocumentKind",
        "FieldKindEnum": "apps.identity.enums.FieldKind",
        "UnitKindEnum": "apps.identity.enums.UnitKind",
        "UserKindEnum": "apps.identity.enums.UserKind",
        "RuleEffectEnum": "apps.identity.enums.RuleEffect",
        "RuleStateEnum": "apps.identity.enums.RuleState",
        "RuleStepEnum": "apps.identity.enums.RuleStep",
        "AccessStateEnum": "apps.network.enums.AccessState",
        "AccountKindEnum": "apps.network.enums.AccountKind",
        "CoaKindEnum": "apps.network.enums.CoaKind",
        "CoaStateEnum": "apps.network.enums.CoaState",
        "HandleKindEnum": "apps.network.enums.HandleKind",
        "HoldEffectEnum": "apps.network.enums.HoldEffect",
        "HoldReasonEnum": "apps.network.enums.HoldReason",
        "NasSecretStateEnum": "apps.network.enums.NasSecretState",
        "PrefixKindEnum": "apps.network.enums.PrefixKind",
        "JobStateEnum": "apps.ops.enums.JobState",
        "MessageStateEnum": "apps.ops.enums.MessageState",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "dotmac.core.api.schema.add_problem_schema",
    ],
}

ANONYMOUS_USER_NAME = None  # guardian: nobody is represented by a row
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = 0.25
AXES_VERBOSE = False

LOGGING_CONFIG = None
