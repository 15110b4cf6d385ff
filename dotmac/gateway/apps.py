import gc

from django.apps import AppConfig
from django.contrib.admin import apps as admin
from django.contrib.staticfiles.apps import StaticFilesConfig


class GatewayConfig(AppConfig):
    name = "dotmac.gateway"
    label = "gateway"
    default = True

    def ready(self) -> None:
        """Everything is imported: look for garbage again, among what comes from now."""
        gc.freeze()
        gc.enable()


class DotMacAdminConfig(admin.AdminConfig):
    """django.contrib.admin with our site, which asks for MFA."""

    default = False

    default_site = "dotmac.gateway.admin_site.DotMacAdminSite"


class DotMacStaticFilesConfig(StaticFilesConfig):
    """django.contrib.staticfiles without what libraries bring and no page asks for.

    Every start collects and compresses the files: DRF's browsable pages, a second
    htmx and redoc cost more of it than all of ours.
    """

    default = False

    ignore_patterns = [
        *StaticFilesConfig.ignore_patterns,
        "rest_framework",
        "django_htmx",
        "redoc",
    ]
