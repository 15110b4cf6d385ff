"""Guards of sign-in by other providers, and for other tools."""

from tools.faults.guard import Code, Guard, Kind, Sql

GUARDS = (
    Guard(
        app="federation",
        name="code-once",
        kind=Kind.CHECK,
        keeps="an authorisation code that was used opens nothing and ends its token",
        changes=(
            Code(
                "apps/federation/operations/provider.py",
                "    if found.used_at is not None:",
                "    if False:",
            ),
        ),
        tests=(
            "tests/federation/test_provider_tokens.py::"
            "test_a_code_works_once_and_its_second_use_ends_the_token",
        ),
    ),
    Guard(
        app="federation",
        name="tested-before-on",
        kind=Kind.CONSTRAINT,
        keeps="a connection that never answered is not offered",
        changes=(
            Sql(
                "ALTER TABLE federation_connection"
                " DROP CONSTRAINT federation_connection_checked_before_use"
            ),
        ),
        tests=(
            "tests/federation/test_settings_of_connections.py::"
            "test_the_database_refuses_halves",
        ),
    ),
    Guard(
        app="federation",
        name="flows-of-this-browser",
        kind=Kind.FILTER,
        keeps="an answer counts only in the browser that asked",
        changes=(
            Code(
                "apps/federation/operations/flows.py",
                "    rows = SignInFlow.objects.filter("
                "connection=connection, pk__in=list(flow_ids))",
                "    rows = SignInFlow.objects.filter(connection=connection)",
            ),
        ),
        tests=(
            "tests/federation/test_oidc_attacks.py::"
            "test_an_answer_counts_once_and_in_its_own_browser",
        ),
    ),
    Guard(
        app="federation",
        name="answered-in-this-browser",
        kind=Kind.FILTER,
        keeps="who asks does not become whoever answers an address that was sent on",
        changes=(
            Code(
                "apps/federation/operations/flows.py",
                "    flow = rows.filter(answer_digest=digest_of(word)).first()",
                "    flow = rows.first()",
            ),
        ),
        tests=(
            "tests/federation/test_sign_in_by_saml.py::"
            "test_who_asked_does_not_become_whoever_answered",
        ),
    ),
    Guard(
        app="federation",
        name="verified-address",
        kind=Kind.CHECK,
        keeps="nobody is linked by an address that was not verified",
        changes=(
            Code(
                "apps/federation/rules/admission.py",
                "if not at or not (proof.email_verified or trusts_email):",
                "if not at:",
            ),
        ),
        tests=(
            "tests/federation/test_admission.py::"
            "test_only_verified_addresses_of_the_domains_link",
        ),
    ),
    Guard(
        app="federation",
        name="owners-not-by-address",
        kind=Kind.CHECK,
        keeps="who runs the provider does not become an owner by a mailbox",
        changes=(
            Code(
                "apps/federation/operations/admission.py",
                "        return Refusal.TOO_POWERFUL",
                "        return None",
            ),
        ),
        tests=(
            "tests/federation/test_admission.py::"
            "test_an_owner_is_not_linked_by_the_address",
        ),
    ),
    Guard(
        app="federation",
        name="sign-ins-in-turn",
        kind=Kind.LOCK,
        keeps="two first sign-ins of one person make one account",
        changes=(
            Code(
                "apps/federation/operations/admission.py",
                "Connection.objects.locked().get(pk=connection_id)",
                "Connection.objects.get(pk=connection_id)",
            ),
        ),
        tests=(
            "tests/races/test_federation_races.py::"
            "test_two_first_sign_ins_make_one_account",
        ),
    ),
    Guard(
        app="federation",
        name="signature-of-an-id-token",
        kind=Kind.SIGNATURE,
        keeps="an ID token that another key signed opens nothing",
        changes=(
            Code(
                "apps/federation/rules/id_tokens.py",
                '                "verify_exp": False,',
                '                "verify_signature": False,\n'
                '                "verify_exp": False,',
            ),
        ),
        tests=(
            "tests/federation/test_oidc_attacks.py::"
            "test_a_token_that_does_not_fit_opens_nothing",
        ),
    ),
    Guard(
        app="federation",
        name="signature-of-an-assertion",
        kind=Kind.SIGNATURE,
        keeps="only what the assertion's own signature covers is read",
        changes=(
            Code(
                "apps/federation/rules/saml.py",
                "    signed = _verified(etree.tostring(node, with_tail=False),"
                " asked.certificates, now)",
                "    signed = node",
            ),
        ),
        tests=(
            "tests/federation/test_sign_in_by_saml.py::"
            "test_a_forged_answer_opens_nothing",
        ),
    ),
)
