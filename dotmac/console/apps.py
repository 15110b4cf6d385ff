from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "dotmac.console"
    label = "console"
