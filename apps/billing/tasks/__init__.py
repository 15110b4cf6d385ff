"""What Celery and beat ask of billing: one module for bills, one for cash."""
