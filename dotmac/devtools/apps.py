from django.apps import AppConfig


class DevtoolsConfig(AppConfig):
    name = "dotmac.devtools"
    label = "devtools"
