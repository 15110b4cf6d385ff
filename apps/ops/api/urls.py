from rest_framework.routers import SimpleRouter

from apps.ops.api.views import AuditViewSet, JobViewSet, MessageViewSet

router = SimpleRouter(trailing_slash=False)
router.register("jobs", JobViewSet, basename="job")
router.register("messages", MessageViewSet, basename="message")
router.register("audit", AuditViewSet, basename="audit")

urlpatterns = router.urls
