"""/api/v1: mounts each app's routes. A new app adds one line."""

from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, include, path

from apps.billing.api import urls as billing
from apps.catalog.api import urls as catalog
from apps.identity.api import urls as identity
from apps.network.api import urls as network
from apps.ops.api import urls as ops
from dotmac.core.api.viewsets import check_declared

# Doors at which strangers may knock; every other route names its permission.
OPEN = frozenset({"auth-login", "auth-refresh", "auth-logout", "auth-keys"})

urlpatterns = [
    path("", include(ops.urlpatterns)),
    path("", include(identity.urlpatterns)),
    path("", include(network.urlpatterns)),
    path("", include(catalog.urlpatterns)),
    path("", include(billing.urlpatterns)),
]


def routes(patterns: list[Any]) -> Iterator[URLPattern]:
    """Every route, however deep it is mounted."""
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            yield pattern
        else:
            yield from routes(pattern.url_patterns)


for _route in routes(urlpatterns):
    check_declared(_route.name or str(_route.pattern), _route.callback, OPEN)
