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
from apps.billing.models import BilledPeriod, Invoice, LedgerTransaction
from dotmac.core.money import Money
from tests.billing import world
from tests.promises.ledger_attacks import ATTACKS, DRAFT, LINE, NEW_TRANSACTION

pytestmark = [pytest.mark.integration, pytest.mark.security]

DAY = date(2026, 11, 20)
NOBODY = 999_999
ROLES = {"app": "DATABASE_URL", "owner": "DATABASE_OWNER_URL"}


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


def everything(connection):
    tables = (
        "ledgertransaction", "ledgerentry", "customerbalance", "invoice", "invoiceline",
        "invoicetax", "billedperiod", "numberseries", "ledgeraccount", "taxrate",
        "sellerprofile", "billingrun",
    )  # fmt: skip
    return [
        connection.execute(f"TABLE billing_{name} ORDER BY 1").fetchall()
        for name in tables
    ]


def attack(connection, statements, facts):
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


ENTRY_COLUMNS = (
    "billing_ledgerentry (transaction_id, account_id, customer_id, amount_minor,"
    " currency)"
)


def copy_rows(connection, columns, rows):
    with connection.cursor().copy(f"COPY {columns} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def sell_on_account(connection, customer):
    """Committed; nothing but entries and a balance names the customer."""
    ((new,),) = connection.execute(NEW_TRANSACTION).fetchall()
    rows = ((new, 1100, customer, 100, "NGN"), (new, 4000, None, -100, "NGN"))
    copy_rows(connection, ENTRY_COLUMNS, rows)
    connection.commit()


def delete_customer(connection, customer):
    connection.execute("DELETE FROM identity_customer WHERE id = %s", [customer])
    connection.commit()


def test_an_entry_names_a_customer_who_exists_and_stays(books):
    """Entries have no key check of their own: their customer's balance has."""
    known = world.customer("Named by entries only").pk
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"]) as connection:
        before = everything(connection)
        with pytest.raises(errors.ForeignKeyViolation) as caught:
            sell_on_account(connection, NOBODY)
        assert caught.value.diag.table_name == "billing_customerbalance"
        connection.rollback()
        assert everything(connection) == before

        sell_on_account(connection, known)
        with pytest.raises(errors.ForeignKeyViolation) as caught:
            delete_customer(connection, known)
        assert caught.value.diag.table_name == "billing_customerbalance"


# Columns behind invoice_id, and a row of them.
CHILDREN = {
    "invoiceline": (
        "number, description, unit_price, amount_minor, tax_class, tax_percent,"
        " service_reference",
        (1, "x", 1, 100, "standard", 7.5, ""),
    ),
    "invoicetax": (
        "tax_class, label, percent, base_minor, amount_minor",
        ("x", "x", 1, 0, 5),
    ),
    "billedperiod": ("period_start, service_id", ("2030-01-01",)),
}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("table", CHILDREN)
def test_copy_brings_no_row_for_an_invoice_that_is_not_there(books, role, table):
    columns, values = CHILDREN[table]
    good, orphan = values, values
    if table == "billedperiod":
        first, second = BilledPeriod.objects.values_list("service_id", flat=True)
        good, orphan = (*values, first), (*values, second)
    with psycopg.connect(os.environ[ROLES[role]]) as connection:
        ((draft,),) = connection.execute(DRAFT, books).fetchall()
        rows = ((draft, *good), (NOBODY, *orphan))
        with pytest.raises(errors.ForeignKeyViolation) as caught:
            copy_rows(connection, f"billing_{table} (invoice_id, {columns})", rows)
        name = f"billing_{table}_invoice_exists"
        assert caught.value.diag.constraint_name == name


@pytest.mark.parametrize("role", ROLES)
def test_copy_is_judged_like_any_insert(books, role):
    with psycopg.connect(os.environ[ROLES[role]]) as connection:
        ((new,),) = connection.execute(NEW_TRANSACTION).fetchall()
        rows = ((new, 1010, None, 100, "NGN"), (new, 1020, None, -99, "NGN"))
        with pytest.raises(errors.IntegrityError) as caught:
            copy_rows(connection, ENTRY_COLUMNS, rows)
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
        empty = DRAFT.replace("100, 0, 100", "0, 0, 0")
        ((draft,),) = first.execute(empty, books).fetchall()
        first.execute("UPDATE billing_numberseries SET next_value = next_value + 1")
        second.execute(LINE + f"({draft}, 1, 'x', 1, 500, 'standard', 7.5, '')")
        outcome: list[str | None] = []

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
    outcome: list[str] = []
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
