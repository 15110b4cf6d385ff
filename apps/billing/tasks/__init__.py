"""What Celery and beat ask of billing: one module for bills, one for cash."""

from apps.billing.tasks.bills import run_billing, sweep_runs, work_run
from apps.billing.tasks.cash import run_dunning, verify_pending_payments

__all__ = [
    "run_billing",
    "run_dunning",
    "sweep_runs",
    "verify_pending_payments",
    "work_run",
]
