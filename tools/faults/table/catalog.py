"""Guards of plans, orders, services and provisioning."""

from tools.faults.guard import Code, Guard, Kind, Sql

GUARDS = (
    Guard(
        app="catalog",
        name="services-move-in-a-merge-only",
        kind=Kind.CONSTRAINT,
        keeps="a service changes its customer in a merge and at no other time",
        changes=(Sql("DROP TRIGGER catalog_service_history ON catalog_service"),),
        tests=(
            "tests/identity/test_merging.py::"
            "test_the_database_moves_nothing_outside_a_merge",
        ),
    ),
    Guard(
        app="catalog",
        name="service-in-work",
        kind=Kind.LOCK,
        keeps="operations on one service happen one after another",
        changes=(
            Code(
                "apps/catalog/operations/loading.py",
                "Service.objects.locked().filter(",
                "Service.objects.filter(",
            ),
        ),
        tests=("tests/races/test_catalog_races.py::test_provisioning_is_begun_once",),
    ),
    Guard(
        app="catalog",
        name="plan-in-pricing",
        kind=Kind.LOCK,
        keeps="of many prices for one day one stands and the others are told why",
        changes=(
            Code(
                "apps/catalog/operations/plans.py",
                """    plan = Plan.objects.locked().filter(pk=plan_id).first()
    if plan is None:
        raise UnknownPlan(field="plan")
    latest""",
                """    plan = Plan.objects.filter(pk=plan_id).first()
    if plan is None:
        raise UnknownPlan(field="plan")
    latest""",
            ),
        ),
        tests=(
            "tests/races/test_catalog_races.py::"
            "test_one_of_many_prices_for_a_day_stands",
        ),
    ),
    Guard(
        app="catalog",
        name="one-price-a-day",
        kind=Kind.CONSTRAINT,
        keeps="no two prices of a plan and currency overlap",
        changes=(
            Sql(
                "ALTER TABLE catalog_planprice"
                " DROP CONSTRAINT catalog_planprice_no_overlap"
            ),
        ),
        tests=(
            "tests/catalog/test_plans.py::"
            "test_the_database_lets_no_two_prices_overlap",
        ),
    ),
    Guard(
        app="catalog",
        name="states-go-forward",
        kind=Kind.CONSTRAINT,
        keeps="a service that has ended stays ended",
        changes=(Sql("DROP TRIGGER catalog_service_transition ON catalog_service"),),
        tests=(
            "tests/catalog/test_services.py::"
            "test_the_database_lets_a_state_move_only_forward",
        ),
    ),
    Guard(
        app="catalog",
        name="services-within-scope",
        kind=Kind.FILTER,
        keeps="a customer sees its own services, a stranger none",
        changes=(
            Code(
                "apps/catalog/selectors/services.py",
                """    rows = Service.objects.select_related("customer", "plan__profile")
    return identity.of_visible_customers(rows, actor, permission)""",
                """    rows = Service.objects.select_related("customer", "plan__profile")
    return rows""",
            ),
        ),
        tests=(
            "tests/catalog/test_api_services.py::"
            "test_a_customer_sees_its_own_services_and_a_stranger_none",
        ),
    ),
    Guard(
        app="catalog",
        name="closed-customer",
        kind=Kind.CHECK,
        keeps="a closed customer orders nothing",
        changes=(
            Code(
                "apps/catalog/operations/orders.py",
                "if customer.closed_at is not None:",
                "if False:",
            ),
        ),
        tests=("tests/catalog/test_orders.py::test_refuses_a_closed_customer",),
    ),
    Guard(
        app="catalog",
        name="prepaid-only",
        kind=Kind.CHECK,
        keeps="a service that is billed afterwards has no expiry to extend",
        changes=(
            Code(
                "apps/catalog/operations/services.py",
                "if service.plan.billing != PlanBilling.PREPAID:",
                "if False:",
            ),
        ),
        tests=(
            "tests/catalog/test_services.py::test_a_postpaid_service_has_no_expiry",
        ),
    ),
    Guard(
        app="catalog",
        name="claim-of-a-worker",
        kind=Kind.SIGNATURE,
        keeps="a worker whose claim is outdated writes nothing",
        changes=(
            Code(
                "apps/catalog/operations/carrying.py",
                "if job.claim != held.claim or job.state",
                "if job.state",
            ),
        ),
        tests=(
            "tests/catalog/test_provisioning.py::"
            "test_a_worker_that_was_thought_dead_writes_nothing",
        ),
    ),
    Guard(
        app="catalog",
        name="password-is-sealed",
        kind=Kind.SIGNATURE,
        keeps="once the account is open the service keeps no copy of its password",
        changes=(
            Code(
                "apps/catalog/operations/carrying.py",
                "    service.login = service.password = None"
                "  # type: ignore[assignment]\n"
                '    service.store("access", "login", "password", now=now)',
                '    service.store("access", now=now)',
            ),
            Sql(
                "ALTER TABLE catalog_service"
                " DROP CONSTRAINT catalog_service_credentials_until_access"
            ),
        ),
        tests=(
            "tests/catalog/test_provisioning.py::"
            "test_the_account_gets_the_password_and_the_service_keeps_none",
        ),
    ),
)
