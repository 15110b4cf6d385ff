"""Nobody bends the books: not the application's role, not the tables' owner.

Each attack is plain SQL or COPY, as a person in psql or a careless bulk write
would send it. It must be refused for the reason that is named, and leave no
trace.
"""

import os
import threading
from datetime import date

import psycopg
import pytest
from django.db import connections
from psycopg import errors

from apps.billing import operations
from apps.billing.models import Invoice, LedgerTransaction
from dotmac.core.money import Money
from tests.billing import world

pytestmark = [pytest.mark.integration, pytest.mark.security]

DAY = date(2026, 11, 20)
ROLES = {"app": "DATABASE_URL", "owner": "DATABASE_OWNER_URL"}

# What the attacks speak of: an open invoice, a void one, and their relations.
_NEW_TX = (
    "WITH t AS (INSERT INTO billing_ledgertransaction"
    " (source_kind, source_id, occurred_date, description)"
    " VALUES ('attack', 1, '2026-11-20', '') RETURNING id)"
    " SELECT id FROM t"
)
_ENTRY = (
    "INSERT INTO billing_ledgerentry"
    " (transaction_id, account_id, customer_id, amount_minor, currency) VALUES "
)
_DRAFT = (
    "INSERT INTO billing_invoice (kind, state, number_year, customer_id, seller_id,"
    " issue_date, due_date, currency, subtotal_minor, tax_minor, total_minor,"
    " allocated_minor, credited_minor, buyer, note)"
    " SELECT 'invoice', 'draft', 2026, customer_id, seller_id, '2026-11-20',"
    " '2026-11-20', 'NGN', 100, 0, 100, 0, 0, '{}', '' FROM billing_invoice"
    " WHERE id = %(open)s RETURNING id"
)
_LINE = (
    "INSERT INTO billing_invoiceline (invoice_id, number, description, unit_price,"
    " amount_minor, tax_class, tax_percent, service_reference) VALUES "
)

ATTACKS = {
    "change an entry": (
        "UPDATE billing_ledgerentry SET amount_minor = amount_minor * 2",
        "billing_ledgerentry_append_only",
    ),
    "delete entries": (
        "DELETE FROM billing_ledgerentry",
        "billing_ledgerentry_append_only",
    ),
    "truncate entries": (
        "TRUNCATE billing_ledgerentry",
        "billing_ledgerentry_append_only",
    ),
    "change a transaction": (
        "UPDATE billing_ledgertransaction SET occurred_date = '2020-01-01'",
        "billing_ledgertransaction_append_only",
    ),
    "delete a transaction": (
        "DELETE FROM billing_ledgertransaction",
        "billing_ledgertransaction_append_only",
    ),
    "truncate all": (
        "TRUNCATE billing_ledgertransaction CASCADE",
        "billing_ledgertransaction_append_only",
    ),
    "post into an old transaction": (
        _ENTRY
        + "(%(posted)s, 1010, NULL, 5, 'NGN'), (%(posted)s, 1020, NULL, -5, 'NGN')",
        "billing_ledgerentry_posted_now",
    ),
    "post one side": (
        (_NEW_TX, _ENTRY + "(%(new)s, 1010, NULL, 5, 'NGN')"),
        "billing_ledgerentry_balanced",
    ),
    "balance one currency with another": (
        (
            _NEW_TX,
            _ENTRY
            + "(%(new)s, 1010, NULL, 5, 'NGN'), (%(new)s, 1020, NULL, -5, 'USD')",
        ),
        "billing_ledgerentry_balanced",
    ),
    "post twice into one transaction": (
        (
            _NEW_TX,
            _ENTRY
            + "(%(new)s, 1010, NULL, 5, 'NGN'), (%(new)s, 1020, NULL, -5, 'NGN')",
            _ENTRY
            + "(%(new)s, 1010, NULL, 7, 'NGN'), (%(new)s, 1020, NULL, -7, 'NGN')",
        ),
        "billing_ledgerentry_one_statement",
    ),
    "owe without a customer": (
        (
            _NEW_TX,
            _ENTRY
            + "(%(new)s, 1100, NULL, 5, 'NGN'), (%(new)s, 1020, NULL, -5, 'NGN')",
        ),
        "billing_ledgerentry_account",
    ),
    "income of a customer": (
        (
            _NEW_TX,
            _ENTRY
            + "(%(new)s, 1100, %(customer)s, 5, 'NGN'),"
            + " (%(new)s, 4000, %(customer)s, -5, 'NGN')",
        ),
        "billing_ledgerentry_account",
    ),
    "an account that is not in the chart": (
        (
            _NEW_TX,
            _ENTRY
            + "(%(new)s, 6666, NULL, 5, 'NGN'), (%(new)s, 1020, NULL, -5, 'NGN')",
        ),
        "billing_ledgerentry_account",
    ),
    "an entry of nothing": (
        (_NEW_TX, _ENTRY + "(%(new)s, 1010, NULL, 0, 'NGN')"),
        "billing_ledgerentry_not_zero",
    ),
    "a forged birth of a transaction": (
        "INSERT INTO billing_ledgertransaction"
        " (source_kind, source_id, occurred_date, description, posted_xid)"
        " VALUES ('attack', 2, '2026-11-20', '', 1)",
        "billing_ledgertransaction_posted_now",
    ),
    "the same source again": (
        "INSERT INTO billing_ledgertransaction"
        " (source_kind, source_id, occurred_date, description)"
        " VALUES ('invoice', %(open)s, '2026-11-20', '')",
        "billing_ledgertransaction_source_once",
    ),
    "change a balance": (
        "UPDATE billing_customerbalance SET balance_minor = 0",
        "billing_customerbalance_by_posting",
    ),
    "invent a balance": (
        "INSERT INTO billing_customerbalance (customer_id, currency, balance_minor)"
        " VALUES (%(customer)s, 'USD', -1000000)",
        "billing_customerbalance_by_posting",
    ),
    "delete a balance": (
        "DELETE FROM billing_customerbalance",
        "billing_customerbalance_by_posting",
    ),
    "drop an account": (
        "DELETE FROM billing_ledgeraccount WHERE code = 4000",
        "billing_ledgeraccount_kept",
    ),
    "turn an account": (
        "UPDATE billing_ledgeraccount SET per_customer = false WHERE code = 1100",
        "billing_ledgeraccount_fixed",
    ),
    "count a series down": (
        "UPDATE billing_numberseries SET next_value = 1",
        "billing_numberseries_counts_up",
    ),
    "drop a series": ("DELETE FROM billing_numberseries", "billing_numberseries_kept"),
    "another total": (
        "UPDATE billing_invoice SET subtotal_minor = 1, tax_minor = 0, total_minor = 1"
        " WHERE id = %(open)s",
        "billing_invoice_final",
    ),
    "a total that is no sum": (
        "UPDATE billing_invoice SET total_minor = total_minor + 1 WHERE id = %(open)s",
        "billing_invoice_total",
    ),
    "another buyer": (
        'UPDATE billing_invoice SET buyer = \'{"name": "x"}\' WHERE id = %(open)s',
        "billing_invoice_final",
    ),
    "a later due date": (
        "UPDATE billing_invoice SET due_date = '2030-01-01' WHERE id = %(open)s",
        "billing_invoice_final",
    ),
    "another number": (
        "UPDATE billing_invoice SET number = 999, reference = 'INV-2026-000999'"
        " WHERE id = %(open)s",
        "billing_invoice_final",
    ),
    "a new key": (
        "UPDATE billing_invoice SET id = 999999 WHERE id = %(open)s",
        "billing_invoice_key_fixed",
    ),
    "back to draft": (
        "UPDATE billing_invoice SET state = 'draft' WHERE id = %(open)s",
        "billing_invoice_final_has_number",
    ),
    "paid without money": (
        "UPDATE billing_invoice SET state = 'paid' WHERE id = %(open)s",
        "billing_invoice_state_fits_amounts",
    ),
    "void without a credit note": (
        "UPDATE billing_invoice SET state = 'void', credited_minor = total_minor"
        " WHERE id = %(open)s",
        "billing_invoice_credited",
    ),
    "credited beyond the total": (
        "UPDATE billing_invoice SET credited_minor = total_minor + 1 WHERE id = %(open)s",
        "billing_invoice_not_overpaid",
    ),
    "open again what is void": (
        "UPDATE billing_invoice SET state = 'open', credited_minor = 0"
        " WHERE id = %(void)s",
        "billing_invoice_edges",
    ),
    "delete an invoice": (
        "DELETE FROM billing_invoice WHERE id = %(open)s",
        "billing_invoice_kept",
    ),
    "truncate invoices": ("TRUNCATE billing_invoice CASCADE", "billing_invoice_kept"),
    "one more line": (
        _LINE + "(%(open)s, 99, 'x', 1, 100, 'standard', 7.5, '')",
        "billing_invoiceline_draft_only",
    ),
    "one more tax": (
        "INSERT INTO billing_invoicetax"
        " (invoice_id, tax_class, label, percent, base_minor, amount_minor)"
        " VALUES (%(open)s, 'x', 'x', 1, 0, 5)",
        "billing_invoicetax_draft_only",
    ),
    "change a line": (
        "UPDATE billing_invoiceline SET amount_minor = 1",
        "billing_invoiceline_append_only",
    ),
    "delete taxes": (
        "DELETE FROM billing_invoicetax",
        "billing_invoicetax_append_only",
    ),
    "an invoice that never was a draft": (
        _DRAFT.replace("'draft'", "'open'")
        .replace("buyer, note)", "buyer, note, number, reference)")
        .replace("'{}', ''", "'{}', '', 1000, 'INV-2026-001000'"),
        "billing_invoice_starts_as_draft",
    ),
    "a draft without lines made final": (
        (
            _DRAFT,
            "UPDATE billing_numberseries SET next_value = next_value + 1",
            "UPDATE billing_invoice SET state = 'open', number = 3,"
            " reference = 'INV-2026-000003' WHERE id = %(new)s",
        ),
        "billing_invoice_adds_up",
    ),
    "a number that nobody gave": (
        (
            _DRAFT.replace("100, 0, 100", "0, 0, 0"),
            "UPDATE billing_invoice SET state = 'paid', number = 77,"
            " reference = 'INV-2026-000077' WHERE id = %(new)s",
        ),
        "billing_invoice_number_given",
    ),
    "bill a month again": (
        "INSERT INTO billing_billedperiod (service_id, period_start, invoice_id)"
        " SELECT service_id, period_start, invoice_id FROM billing_billedperiod",
        "billing_billedperiod_once",
    ),
    "forget that a month was billed": (
        "DELETE FROM billing_billedperiod",
        "billing_billedperiod_append_only",
    ),
    "two rates at a time": (
        "INSERT INTO billing_taxrate (tax_class_id, label, percent, valid_from)"
        " SELECT tax_class_id, label, 50, '2026-01-01' FROM billing_taxrate",
        "billing_taxrate_one_at_a_time",
    ),
    "another seller": (
        "UPDATE billing_sellerprofile SET details = '{}'",
        "billing_sellerprofile_kept",
    ),
    "a run that is gone": ("DELETE FROM billing_billingrun", "billing_billingrun_kept"),
}


@pytest.fixture
def books(own_database):
    """An open invoice and a void one, committed; yields what attacks speak of."""
    world.vat()
    for name in ("Chidi", "Dayo"):
        world.service(world.customer(name), world.plan(), start=date(2026, 11, 15))
    world.bill(DAY)
    kept, voided = Invoice.objects.order_by("pk")
    operations.issue_credit_note(
        invoice_id=voided.pk,
        reason="x",
        full=True,
        actor=world.ACTOR,
        now=world.noon(DAY),
    )
    return {
        "open": kept.pk,
        "void": voided.pk,
        "customer": kept.customer_id,
        "posted": LedgerTransaction.objects.get(
            source_id=kept.pk, source_kind="invoice"
        ).pk,
    }


def everything(connection) -> list[object]:
    tables = (
        "ledgertransaction", "ledgerentry", "customerbalance", "invoice", "invoiceline",
        "invoicetax", "billedperiod", "numberseries", "ledgeraccount", "taxrate",
        "sellerprofile", "billingrun",
    )  # fmt: skip
    return [
        connection.execute(f"TABLE billing_{name} ORDER BY 1").fetchall()
        for name in tables
    ]


def attack(connection, statements, facts) -> str:
    """Runs the attack; the name of what refused it, or an empty text."""
    if isinstance(statements, str):
        statements = (statements,)
    known = dict(facts)
    try:
        with connection.transaction():
            for statement in statements:
                cursor = connection.execute(statement, known)
                if cursor.description:
                    known["new"] = cursor.fetchone()[0]
            # Deferred key checks must not be what saves us.
    except errors.IntegrityError as error:
        return error.diag.constraint_name or ""
    except errors.InsufficientPrivilege:
        return "permission"
    return ""


@pytest.mark.parametrize("role", ROLES)
def test_each_attack_is_refused_for_its_reason(books, role):
    with psycopg.connect(os.environ[ROLES[role]], autocommit=True) as connection:
        before = everything(connection)
        outcome = {
            name: attack(connection, statements, books)
            for name, (statements, _) in ATTACKS.items()
        }
        allowed = {
            name: {reason, "permission"} if role == "app" else {reason}
            for name, (_, reason) in ATTACKS.items()
        }
        wrong = {n: got for n, got in outcome.items() if got not in allowed[n]}
        assert wrong == {}
        assert everything(connection) == before


def copy_entries(connection, rows):
    with connection.cursor().copy(
        "COPY billing_ledgerentry (transaction_id, account_id, customer_id,"
        " amount_minor, currency) FROM STDIN"
    ) as copy:
        for row in rows:
            copy.write_row(row)


@pytest.mark.parametrize("role", ROLES)
def test_copy_is_judged_like_any_insert(books, role):
    with psycopg.connect(os.environ[ROLES[role]]) as connection:
        new = connection.execute(_NEW_TX).fetchone()[0]
        rows = ((new, 1010, None, 100, "NGN"), (new, 1020, None, -99, "NGN"))
        with pytest.raises(errors.IntegrityError) as caught:
            copy_entries(connection, rows)
        assert caught.value.diag.constraint_name == "billing_ledgerentry_balanced"


def test_the_application_may_not_switch_guards_off(books):
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        for statement in (
            "ALTER TABLE billing_ledgerentry DISABLE TRIGGER ALL",
            "DROP TRIGGER billing_ledgerentry_post ON billing_ledgerentry",
            "SET session_replication_role = replica",
            "CREATE OR REPLACE FUNCTION billing_post_ledger_entries() RETURNS trigger"
            " LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
            "SELECT billing_post_ledger_entries()",
        ):
            with pytest.raises(
                (errors.InsufficientPrivilege, errors.FeatureNotSupported)
            ):
                connection.execute(statement)


def test_a_line_cannot_slip_in_beside_a_finalisation(books):
    """Two sessions: one adds a line to a committed draft, one makes it final."""
    with (
        psycopg.connect(os.environ["DATABASE_OWNER_URL"], autocommit=True) as first,
        psycopg.connect(os.environ["DATABASE_OWNER_URL"]) as second,
    ):
        draft = first.execute(
            _DRAFT.replace("100, 0, 100", "0, 0, 0"), books
        ).fetchone()[0]
        first.execute("UPDATE billing_numberseries SET next_value = next_value + 1")
        second.execute(_LINE + f"({draft}, 1, 'x', 1, 500, 'standard', 7.5, '')")
        outcome = []

        def finalise():
            try:
                first.execute(
                    "UPDATE billing_invoice SET state = 'paid', number = 3,"
                    " reference = 'INV-2026-000003' WHERE id = %s",
                    [draft],
                )
                outcome.append("final")
            except errors.IntegrityError as error:
                outcome.append(error.diag.constraint_name)

        thread = threading.Thread(target=finalise)
        thread.start()
        thread.join(1)
        assert thread.is_alive(), "The finalisation waits for the line."
        second.commit()
        thread.join(10)
        assert outcome == ["billing_invoice_adds_up"]


def test_two_credit_notes_at_once_never_take_more_than_the_invoice(books):
    """Both ask for two thirds; the second waits for the first and is refused."""
    outcome = []
    barrier = threading.Barrier(2)

    def credit():
        barrier.wait()
        try:
            operations.issue_credit_note(
                invoice_id=books["open"],
                reason="race",
                amount=Money(500_000, "NGN"),
                actor=world.ACTOR,
                now=world.noon(DAY),
            )
            outcome.append("written")
        except Exception as error:  # noqa: BLE001 - the outcome is what is asked
            outcome.append(type(error).__name__)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=credit) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(outcome) == ["CreditExceedsRest", "written"]
    invoice = Invoice.objects.get(pk=books["open"])
    assert (invoice.credited_minor, invoice.state) == (500_000, "open")
