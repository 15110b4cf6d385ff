from django.urls import path, re_path
from rest_framework.routers import SimpleRouter

from apps.identity.api.access import AccessRuleViewSet, AccessViewSet, RoleViewSet
from apps.identity.api.auth import KeySetView, LoginView, LogoutView, RefreshView
from apps.identity.api.documents import DocumentViewSet
from apps.identity.api.fields import CustomerTagViewSet, FieldViewSet, TagViewSet
from apps.identity.api.merging import DuplicateViewSet, MergeViewSet
from apps.identity.api.of_customer import (
    CUSTOMER,
    ContactViewSet,
    LocationViewSet,
    NoteViewSet,
)
from apps.identity.api.own import ApiKeyViewSet, SignInViewSet, StepUpViewSet
from apps.identity.api.personal import ExportViewSet
from apps.identity.api.timeline import TimelineViewSet
from apps.identity.api.views import CustomerViewSet, UnitViewSet

router = SimpleRouter(trailing_slash=False)
router.register("customers", CustomerViewSet, basename="customer")
router.register("api-keys", ApiKeyViewSet, basename="api-key")
router.register(f"{CUSTOMER}/contacts", ContactViewSet, basename="contact")
router.register(f"{CUSTOMER}/locations", LocationViewSet, basename="location")
router.register(f"{CUSTOMER}/documents", DocumentViewSet, basename="document")
router.register(f"{CUSTOMER}/exports", ExportViewSet, basename="export")
router.register(f"{CUSTOMER}/duplicates", DuplicateViewSet, basename="duplicate")
router.register(f"{CUSTOMER}/merges", MergeViewSet, basename="merge")
router.register(f"{CUSTOMER}/notes", NoteViewSet, basename="note")
router.register(f"{CUSTOMER}/timeline", TimelineViewSet, basename="timeline")
router.register("custom-fields", FieldViewSet, basename="custom-field")
router.register("tags", TagViewSet, basename="tag")
router.register("units", UnitViewSet, basename="unit")
router.register("roles", RoleViewSet, basename="role")
router.register("access-rules", AccessRuleViewSet, basename="access-rule")
router.register("access", AccessViewSet, basename="access")

urlpatterns = [
    path("auth/login", LoginView.as_view(), name="auth-login"),
    path("auth/refresh", RefreshView.as_view(), name="auth-refresh"),
    path("auth/logout", LogoutView.as_view(), name="auth-logout"),
    path("auth/keys", KeySetView.as_view(), name="auth-keys"),
    path(
        "auth/step-up", StepUpViewSet.as_view({"post": "create"}), name="auth-step-up"
    ),
    path(
        "auth/sessions",
        SignInViewSet.as_view({"get": "list", "delete": "destroy_others"}),
        name="auth-sessions",
    ),
    path(
        "auth/sessions/<int:pk>",
        SignInViewSet.as_view({"delete": "destroy"}),
        name="auth-session",
    ),
    *router.urls,
    re_path(
        rf"^{CUSTOMER}/tags$",
        CustomerTagViewSet.as_view({"get": "list", "put": "set_tags"}),
        name="customer-tags",
    ),
]
