"""Guards of the figures."""

from tools.faults.guard import Code, Guard, Kind

GUARDS = (
    Guard(
        app="analytics",
        name="figure-of-sessions",
        kind=Kind.FILTER,
        keeps="who may not see sessions is not told how many there are",
        changes=(
            Code(
                "apps/analytics/console.py",
                "permission=selectors.ONLINE_SESSIONS.permission",
                'permission="identity.view_customer"',
            ),
        ),
        tests=(
            "tests/analytics/test_figures.py::"
            "test_home_shows_a_figure_only_to_those_who_may_know",
        ),
    ),
    Guard(
        app="analytics",
        name="figure-of-receivables",
        kind=Kind.FILTER,
        keeps="who may not see bills is not told what is owed",
        changes=(
            Code(
                "apps/analytics/console.py",
                "permission=selectors.RECEIVABLES_BY_AGE.permission",
                'permission="identity.view_customer"',
            ),
        ),
        tests=(
            "tests/analytics/test_figures.py::"
            "test_home_shows_a_figure_only_to_those_who_may_know",
        ),
    ),
    Guard(
        app="analytics",
        name="accounts-of-a-customer",
        kind=Kind.FILTER,
        keeps="the usage of a customer is that of its own lines",
        changes=(
            Code(
                "apps/analytics/selectors/usage.py",
                "catalog.active_services_of([customer_id])",
                "catalog.active_services_of(range(10**4))",
            ),
        ),
        tests=(
            "tests/analytics/test_figures.py::test_usage_is_that_of_the_customers_own_lines",
        ),
    ),
)
