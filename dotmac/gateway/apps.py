from django.apps import AppConfig
from django.contrib.admin import apps as admin


class GatewayConfig(AppConfig):
    name = "dotmac.gateway"
    label = "gateway"
    default = True


class DotMacAdminConfig(admin.AdminConfig):
    """django.contrib.admin with our site, which asks for MFA."""

    default = False

    default_site = "dotmac.gateway.admin_site.DotMacAdminSite"
