from django.urls import path, re_path
from rest_framework.routers import SimpleRouter

from apps.identity.api.auth import KeySetView, LoginView, LogoutView, RefreshView
from apps.identity.api.fields import CustomerTagViewSet, FieldViewSet, TagViewSet
from apps.identity.api.of_customer import (
    CUSTOMER,
    ContactViewSet,
    LocationViewSet,
    NoteViewSet,
)
from apps.identity.api.timeline import TimelineViewSet
from apps.identity.api.views import CustomerViewSet, UnitViewSet

router = SimpleRouter(trailing_slash=False)
router.register("customers", CustomerViewSet, basename="customer")
router.register(f"{CUSTOMER}/contacts", ContactViewSet, basename="contact")
router.register(f"{CUSTOMER}/locations", LocationViewSet, basename="location")
router.register(f"{CUSTOMER}/notes", NoteViewSet, basename="note")
router.register(f"{CUSTOMER}/timeline", TimelineViewSet, basename="timeline")
router.register("custom-fields", FieldViewSet, basename="custom-field")
router.register("tags", TagViewSet, basename="tag")
router.register("units", UnitViewSet, basename="unit")

urlpatterns = [
    path("auth/login", LoginView.as_view(), name="auth-login"),
    path("auth/refresh", RefreshView.as_view(), name="auth-refresh"),
    path("auth/logout", LogoutView.as_view(), name="auth-logout"),
    path("auth/keys", KeySetView.as_view(), name="auth-keys"),
    *router.urls,
    re_path(
        rf"^{CUSTOMER}/tags$",
        CustomerTagViewSet.as_view({"get": "list", "put": "set_tags"}),
        name="customer-tags",
    ),
]
