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
from tests.promises.ledger_attacks import ATTACKS, DRAFT, LINE, NEW_TRANSACTION

pytestmark = [pytest.mark.integration, pytest.mark.security]

DAY = date(2026, 11, 20)
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
        ((new,),) = connection.execute(NEW_TRANSACTION).fetchall()
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
