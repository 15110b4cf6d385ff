from rest_framework.routers import SimpleRouter

from apps.catalog.api.services import ServiceViewSet
from apps.catalog.api.sessions import SessionViewSet
from apps.catalog.api.views import OrderViewSet, PlanViewSet

router = SimpleRouter(trailing_slash=False)
router.register("plans", PlanViewSet, basename="plan")
router.register("orders", OrderViewSet, basename="order")
router.register("services", ServiceViewSet, basename="service")
router.register("sessions", SessionViewSet, basename="session")

urlpatterns = router.urls
