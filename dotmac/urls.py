"""Where each part of the site begins."""

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from dotmac.gateway import api, health, middleware, openness, provider, well_known
from dotmac.gateway.versions import openapi

urlpatterns = [
    path("health", health.health, name="health"),
    path("health/live", health.live, name="health-live"),
    path("health/ready", health.ready, name="health-ready"),
    path(".well-known/jwks.json", well_known.key_set, name="key-set"),
    path(
        ".well-known/openid-configuration",
        provider.configuration,
        name="oidc-discovery",
    ),
    path(".well-known/change-password", well_known.change_password),
    path("api/v1/", include(api.urlpatterns)),
    path("api/schema", SpectacularAPIView.as_view(), name="schema"),
    path(
        "api/schema/v2",
        SpectacularAPIView.as_view(custom_settings=openapi.V2),
        name="schema-v2",
    ),
    path(
        "api/docs",
        openness.for_developers(SpectacularSwaggerSplitView.as_view(url_name="schema")),
        name="api-docs",
    ),
    re_path(r"^api/", middleware.unknown_path),
    path("", include("apps.billing.urls")),
    path("", include("dotmac.gateway.doors")),
    path("admin/", admin.site.urls),
    path("console", RedirectView.as_view(url="/console/")),
    path("console/", include("dotmac.console.urls")),
    path("portal", RedirectView.as_view(url="/portal/")),
    path("portal/", include("dotmac.portal.urls")),
    path("", RedirectView.as_view(url="/portal/")),
]

handler404 = "dotmac.console.views.errors.not_found"
handler403 = "dotmac.console.views.errors.forbidden"
handler500 = "dotmac.console.views.errors.broken"
