from rest_framework.routers import SimpleRouter

from apps.billing.api.invoices import CreditNoteViewSet, InvoiceViewSet
from apps.billing.api.runs import RunViewSet

router = SimpleRouter(trailing_slash=False)
router.register("billing/invoices", InvoiceViewSet, basename="invoice")
router.register("billing/credit-notes", CreditNoteViewSet, basename="credit-note")
router.register("billing/runs", RunViewSet, basename="billing-run")

urlpatterns = router.urls
