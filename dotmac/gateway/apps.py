from django.apps import AppConfig


class GatewayConfig(AppConfig):
    name = "dotmac.gateway"
    label = "gateway"
