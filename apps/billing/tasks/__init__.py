"""What Celery and beat ask of billing: one module for bills, one for cash."""

from apps.billing.tasks.bills import run_billing, sweep_runs, work_run

__all__ = ["run_billing", "sweep_runs", "work_run"]
