from pathlib import Path

from django.db import migrations

from dotmac.core.db import append_only, sql_file

_SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("billing", "0001_create_ledger_and_invoices")]
    operations = [
        sql_file(_SQL / "0002_chart.sql"),
        sql_file(_SQL / "0002_guards.sql"),
        append_only("billing_ledgertransaction"),
        append_only("billing_ledgerentry"),
        append_only("billing_invoiceline"),
        append_only("billing_invoicetax"),
        append_only("billing_billedperiod"),
    ]
