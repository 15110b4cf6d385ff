"""One list, as the tutorial has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.routers import SimpleRouter
from rest_framework.serializers import ModelSerializer
from rest_framework.viewsets import ReadOnlyModelViewSet

from tools.bench.plain.models import Customer

if TYPE_CHECKING:
    Serializer = ModelSerializer[Customer]
    ViewSet = ReadOnlyModelViewSet[Customer]
else:
    Serializer, ViewSet = ModelSerializer, ReadOnlyModelViewSet


class CustomerSerializer(Serializer):
    class Meta:
        model = Customer
        fields = "__all__"


class CustomerViewSet(ViewSet):
    queryset = Customer._default_manager.order_by("-id")
    serializer_class = CustomerSerializer


router = SimpleRouter(trailing_slash=False)
router.register("customers", CustomerViewSet)
urlpatterns = router.urls
