"""/api/v1: mounts each app's routes. A new app adds one line."""

from django.urls import include, path

from apps.billing.api import urls as billing
from apps.catalog.api import urls as catalog
from apps.identity.api import urls as identity
from apps.network.api import urls as network
from apps.ops.api import urls as ops

urlpatterns = [
    path("", include(ops.urlpatterns)),
    path("", include(identity.urlpatterns)),
    path("", include(network.urlpatterns)),
    path("", include(catalog.urlpatterns)),
    path("", include(billing.urlpatterns)),
]
