from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "dotmac.portal"
    label = "portal"
