"""Guards of who may do what: scopes, rules, four eyes."""

from tools.faults.guard import Code, Guard, Kind

GUARDS = (
    Guard(
        app="identity",
        name="whole-from-the-top",
        kind=Kind.FILTER,
        keeps="what is about the whole operator is not reached from a part of it",
        changes=(
            Code(
                "apps/identity/selectors/rights.py",
                "    if not scope.everything:\n",
                "    if not scope:\n",
            ),
        ),
        tests=(
            "tests/identity/test_own_roles.py::"
            "test_what_is_about_the_whole_reaches_nothing_in_a_part",
        ),
    ),
    Guard(
        app="identity",
        name="rule-that-errs",
        kind=Kind.CHECK,
        keeps="a rule whose facts are missing refuses",
        changes=(
            Code(
                "apps/identity/rules/policy.py",
                "return verdict is not Verdict.FALSE",
                "return verdict is Verdict.TRUE",
            ),
        ),
        tests=(
            "tests/identity/test_access_engine.py::"
            "test_the_engine_is_the_reference_on_100_000_cases",
        ),
    ),
    Guard(
        app="identity",
        name="four-eyes-of-rules",
        kind=Kind.CHECK,
        keeps="who asked for a change of a rule does not approve it",
        changes=(
            Code(
                "apps/identity/operations/rule_steps.py",
                "    if alone and others_could_approve(besides=actor.id):\n",
                "    if False:\n",
            ),
        ),
        tests=(
            "tests/identity/test_access_rules.py::test_one_asks_and_another_approves",
        ),
    ),
    Guard(
        app="identity",
        name="way-back-in",
        kind=Kind.CHECK,
        keeps="no rule is saved under which nobody could take it back",
        changes=(
            Code(
                "apps/identity/operations/access_rules.py",
                "    if not somebody_could_change([*rules_on(besides=besides), rule]):\n",
                "    if False:\n",
            ),
        ),
        tests=(
            "tests/identity/test_access_rules.py::"
            "test_a_policy_that_locks_everybody_out_is_not_saved",
        ),
    ),
    Guard(
        app="identity",
        name="approved-as-read",
        kind=Kind.CHECK,
        keeps="a rule's text does not change while somebody is asked to approve it",
        changes=(
            Code(
                "apps/identity/operations/access_rules.py",
                "    if waiting_step(rule_id) is not None:\n",
                "    if False:\n",
            ),
        ),
        tests=(
            "tests/identity/test_access_rules.py::"
            "test_what_is_approved_is_what_was_read",
        ),
    ),
    Guard(
        app="identity",
        name="way-back-of-people",
        kind=Kind.CHECK,
        keeps="the last one whom the rules let change them is not switched off",
        changes=(
            Code(
                "apps/identity/operations/way_back.py",
                "    if could and not somebody_could_change(rules_on()):\n",
                "    if False:\n",
            ),
        ),
        tests=(
            "tests/identity/test_lockout.py::"
            "test_the_last_one_whom_the_rules_let_is_not_switched_off",
        ),
    ),
    Guard(
        app="identity",
        name="yes-by-the-invited",
        kind=Kind.CHECK,
        keeps="only the invited person, signed in, begins to act for an account",
        changes=(
            Code(
                "apps/identity/operations/joining.py",
                "    if found is None or found.user_id != actor.id:\n",
                "    if found is None:\n",
            ),
        ),
        tests=(
            "tests/identity/test_members.py::test_only_the_invited_person_says_yes",
        ),
    ),
    Guard(
        app="identity",
        name="passwords-within-reach",
        kind=Kind.CHECK,
        keeps="nobody sets the password of who acts for customers beyond his reach",
        changes=(
            Code(
                "apps/identity/operations/portal_users.py",
                "    refuse_acting_beyond(user, _SET_PASSWORD, actor)\n",
                "",
            ),
        ),
        tests=(
            "tests/identity/test_members.py::"
            "test_a_password_is_not_set_for_who_acts_elsewhere",
        ),
    ),
    Guard(
        app="identity",
        name="power-over-colleagues",
        kind=Kind.CHECK,
        keeps="nobody resets the sign-in of a person who may do more",
        changes=(
            Code(
                "apps/identity/rules/giving.py",
                "        if not _includes(actor.scopes.get(name, NOTHING), theirs)\n",
                "        if False\n",
            ),
        ),
        tests=(
            "tests/identity/test_own_roles.py::"
            "test_nobody_takes_over_the_sign_in_of_a_more_powerful_person",
        ),
    ),
    Guard(
        app="core",
        name="error-is-no-answer",
        kind=Kind.CHECK,
        keeps="a fact of another kind makes an error, whatever stands beside it",
        changes=(
            Code(
                "dotmac/core/expressions.py",
                "            if value is None:\n                return Verdict.ERROR\n",
                "            if value is None:\n                continue\n",
            ),
        ),
        tests=(
            "tests/identity/test_access_engine.py::"
            "test_the_engine_is_the_reference_on_100_000_cases",
        ),
    ),
)
