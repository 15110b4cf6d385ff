"""Guards of people, sessions and customers."""

from tools.faults.guard import Code, Guard, Kind, Sql

GUARDS = (
    Guard(
        app="identity",
        name="refresh-once",
        kind=Kind.LOCK,
        keeps="of ten uses of one refresh token one succeeds",
        changes=(
            Code(
                "apps/identity/operations/sessions.py",
                """        Session.objects.locked()
        .select_related("user")
        .filter(pk__in""",
                """        Session.objects.select_related("user")
        .filter(pk__in""",
            ),
        ),
        tests=("tests/races/test_identity.py::test_a_refresh_token_works_once",),
    ),
    Guard(
        app="identity",
        name="pieces-in-their-place",
        kind=Kind.SIGNATURE,
        keeps="a document with a piece of another one is not given out",
        changes=(
            Code(
                "apps/identity/selectors/files.py",
                "    if not hmac.compare_digest(digest.hexdigest(), _said(file)):",
                "    if not hmac.compare_digest(_said(file), _said(file)):",
            ),
        ),
        tests=(
            "tests/identity/test_documents.py::"
            "test_a_piece_of_another_file_or_a_missing_one_is_noticed",
        ),
    ),
    Guard(
        app="identity",
        name="documents-for-their-customer",
        kind=Kind.FILTER,
        keeps="customers see no document that is not meant for them",
        changes=(
            Code(
                "apps/identity/selectors/files.py",
                "    if actor.is_customer:",
                "    if actor.is_customer and not permission:",
            ),
        ),
        tests=(
            "tests/identity/test_documents.py::"
            "test_customers_reach_what_is_meant_for_them",
        ),
    ),
    Guard(
        app="identity",
        name="nobody-erased-in-debt",
        kind=Kind.CHECK,
        keeps="nobody is erased while money is owed or a service runs",
        changes=(
            Code(
                "apps/identity/operations/erasure.py",
                "    if objections:",
                "    if not people:",
            ),
        ),
        tests=("tests/identity/test_erasure.py::test_refused_and_nothing_changed",),
    ),
    Guard(
        app="identity",
        name="owner-role",
        kind=Kind.LOCK,
        keeps="the last owners cannot all leave at the same time",
        changes=(
            Code(
                "apps/identity/operations/roles.py",
                "Role.objects.select_for_update(no_key=True).get(slug=OWNER)",
                "Role.objects.get(slug=OWNER)",
            ),
        ),
        tests=("tests/races/test_identity.py::test_one_owner_remains_when_all_leave",),
    ),
    Guard(
        app="identity",
        name="customer-once-by-e-mail",
        kind=Kind.CONSTRAINT,
        keeps="no two open customers share an e-mail address without somebody's word",
        changes=(Sql("DROP INDEX identity_customer_email_once"),),
        tests=("tests/identity/test_constraints.py::test_customers",),
    ),
    Guard(
        app="identity",
        name="customers-within-scope",
        kind=Kind.FILTER,
        keeps="a reseller's people see the reseller's customers only",
        changes=(
            Code(
                "apps/identity/models/customer.py",
                "        return self.filter(reached)",
                "        return self.filter(reached | Q(pk__gt=0))",
            ),
        ),
        tests=(
            "tests/identity/test_access.py::"
            "test_a_resellers_people_see_the_resellers_customers",
        ),
    ),
    Guard(
        app="identity",
        name="last-owner",
        kind=Kind.CHECK,
        keeps="the last active owner is neither switched off nor demoted",
        changes=(
            Code(
                "apps/identity/operations/roles.py",
                "        raise LastOwner",
                "        return",
            ),
        ),
        tests=("tests/identity/test_staff.py::test_the_last_owner_stays",),
    ),
    Guard(
        app="identity",
        name="code-once",
        kind=Kind.CHECK,
        keeps="a one-time code that was spent opens nothing",
        changes=(
            Code(
                "apps/identity/operations/factors.py",
                "if step <= totp.last_step:",
                "if False:",
            ),
        ),
        tests=(
            "tests/identity/test_sign_in.py::test_accepts_the_neighbouring_codes_once",
            "tests/identity/test_sign_in.py::"
            "test_an_older_code_than_the_spent_one_is_spent_too",
        ),
    ),
    Guard(
        app="identity",
        name="signature-of-a-token",
        kind=Kind.SIGNATURE,
        keeps="an access token that another key signed opens nothing",
        changes=(
            Code(
                "apps/identity/rules/tokens.py",
                '                "strict_aud": True,',
                '                "strict_aud": True,\n'
                '                "verify_signature": False,\n'
                '                "verify_aud": True,\n'
                '                "verify_iss": True,',
            ),
        ),
        tests=(
            "tests/identity/test_tokens.py::"
            "test_refuses_forged_tokens[another key, our kid]",
        ),
    ),
    Guard(
        app="identity",
        name="end-of-a-token",
        kind=Kind.SIGNATURE,
        keeps="an access token is good for ten minutes",
        changes=(
            Code(
                "apps/identity/rules/tokens.py",
                "if not issued - _SKEW_S <= now.timestamp() < expires:",
                "if not issued - _SKEW_S <= now.timestamp():",
            ),
        ),
        tests=(
            "tests/identity/test_tokens.py::"
            "test_lives_for_ten_minutes_of_the_callers_clock",
        ),
    ),
)
