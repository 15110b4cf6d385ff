from rest_framework.routers import SimpleRouter

from apps.billing.api.invoices import CreditNoteViewSet, InvoiceViewSet
from apps.billing.api.payments import PaymentViewSet
from apps.billing.api.runs import RunViewSet
from apps.billing.api.taxes import TaxRateViewSet

router = SimpleRouter(trailing_slash=False)
router.register("billing/invoices", InvoiceViewSet, basename="invoice")
router.register("billing/credit-notes", CreditNoteViewSet, basename="credit-note")
router.register("billing/runs", RunViewSet, basename="billing-run")
router.register("billing/tax-rates", TaxRateViewSet, basename="tax-rate")
router.register("billing/payments", PaymentViewSet, basename="payment")

urlpatterns = router.urls
