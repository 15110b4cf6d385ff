"""Guards of addresses, access accounts and imports."""

from tools.faults.guard import Body, Code, Guard, Kind, Sql

GUARDS = (
    Guard(
        app="network",
        name="pool-in-allocation",
        kind=Kind.LOCK,
        keeps="allocators of a pool wait for each other instead of failing",
        changes=(
            Body(
                "network_allocate_address",
                "WHERE o.id = p_pool_id FOR NO KEY UPDATE",
                "WHERE o.id = p_pool_id",
            ),
        ),
        tests=(
            "tests/races/test_network_races.py::"
            "test_sixteen_clients_get_sixteen_times_ten_different_addresses",
        ),
    ),
    Guard(
        app="network",
        name="account-under-a-hold",
        kind=Kind.LOCK,
        keeps="one hold is placed however many place it at once",
        changes=(
            Code(
                "apps/network/operations/holds.py",
                """    account = AccessAccount.objects.locked().get(pk=account_id)
    open_hold =""",
                """    account = AccessAccount.objects.get(pk=account_id)
    open_hold =""",
            ),
        ),
        tests=(
            "tests/races/test_network_races.py::"
            "test_a_hold_placed_by_sixteen_is_one_and_asks_for_one_disconnect",
        ),
    ),
    Guard(
        app="network",
        name="one-holder-of-an-address",
        kind=Kind.CONSTRAINT,
        keeps="no address is held twice in a VRF, whoever writes the row",
        changes=(
            Sql(
                "ALTER TABLE network_addressassignment"
                " DROP CONSTRAINT network_addressassignment_one_holder"
            ),
        ),
        tests=("tests/network/test_guards.py::test_an_address_has_one_holder",),
    ),
    Guard(
        app="network",
        name="history-of-an-address",
        kind=Kind.CONSTRAINT,
        keeps="who held an address at a given time is never rewritten",
        changes=(
            Sql(
                "DROP TRIGGER network_addressassignment_keep"
                " ON network_addressassignment"
            ),
        ),
        tests=("tests/network/test_guards.py::test_who_held_an_address_is_history",),
    ),
    Guard(
        app="network",
        name="records-for-staff",
        kind=Kind.FILTER,
        keeps="a customer sees no record of the network, whatever he was granted",
        changes=(
            Code(
                "apps/network/selectors/records.py",
                "return NOTHING if actor.is_customer else actor.scope(permission)",
                "return actor.scope(permission)",
            ),
        ),
        tests=(
            "tests/network/test_records.py::"
            "test_are_for_staff_whatever_a_customer_was_granted",
        ),
    ),
    Guard(
        app="network",
        name="password-of-a-subscriber",
        kind=Kind.SIGNATURE,
        keeps="a wrong password does not get in",
        changes=(
            Code(
                "apps/network/radius/methods.py",
                "return Proof() if hmac.compare_digest(offered, password.encode())"
                " else None",
                "return Proof()",
            ),
        ),
        tests=("tests/network/test_radius_methods.py::test_pap_compares_bytes",),
    ),
    Guard(
        app="network",
        name="attributes-by-the-dictionaries",
        kind=Kind.CHECK,
        keeps="no NAS is told an attribute that no dictionary has, or a server's own",
        changes=(
            Code(
                "apps/network/operations/vendors.py",
                "        checked_attribute(attribute, value, attribute_table())\n",
                "        pass\n",
            ),
        ),
        tests=(
            "tests/network/test_replies.py::"
            "test_what_no_nas_may_be_told_is_refused_when_saved",
        ),
    ),
    Guard(
        app="network",
        name="vendor-of-a-nas",
        kind=Kind.CONSTRAINT,
        keeps="no NAS is of a vendor that has no map",
        changes=(
            Sql("ALTER TABLE network_nas DROP CONSTRAINT network_nas_vendor_known"),
        ),
        tests=(
            "tests/network/test_replies.py::"
            "test_a_vendor_without_a_map_is_refused_by_operation_and_database",
        ),
    ),
    Guard(
        app="network",
        name="blocks-are-routed",
        kind=Kind.FILTER,
        keeps="an IPv4 block is routed to the line, never told as its address",
        changes=(
            Body(
                "radius_held_of",
                "(bits < 32 OR unit.use = 'routed')",
                "unit.use = 'nothing'",
            ),
        ),
        tests=(
            "tests/network/vendors/test_vendors.py::"
            "test_a_line_is_told_in_the_vendors_words",
        ),
    ),
    Guard(
        app="network",
        name="passwords-of-an-import",
        kind=Kind.CONSTRAINT,
        keeps="what an imported user waits with goes with the last step of its row",
        changes=(
            Sql(
                "ALTER TABLE network_accountimportrow DROP CONSTRAINT"
                " network_accountimportrow_facts_while_it_waits"
            ),
        ),
        tests=(
            "tests/network/test_imports.py::"
            "test_the_database_keeps_no_password_of_a_row_that_is_done",
        ),
    ),
    Guard(
        app="network",
        name="chunk-of-an-import-goes-on",
        kind=Kind.CHECK,
        keeps="taking an import back comes to an end where accounts were used",
        changes=(
            Code(
                "apps/network/operations/imports.py",
                "batch.carried = rows[-1].number",
                "batch.carried = 0",
            ),
        ),
        tests=(
            "tests/network/test_import_ends.py::"
            "test_used_accounts_do_not_keep_it_from_ending",
        ),
    ),
    Guard(
        app="network",
        name="who-dials-in-again-stays",
        kind=Kind.FILTER,
        keeps="ending all sessions of a place does not go round for ever",
        changes=(
            Code(
                "apps/network/operations/many.py",
                "pk__gt=run.last_session, pk__lte=run.until_session",
                "pk__gt=run.last_session",
            ),
        ),
        tests=(
            "tests/network/test_many_sessions.py::"
            "test_a_whole_place_ends_in_chunks_but_who_dials_in_again_stays",
        ),
    ),
    Guard(
        app="network",
        name="resting-address-is-not-chosen",
        kind=Kind.CHECK,
        keeps="what goes to the last holder of an address reaches nobody else",
        changes=(
            Code(
                "apps/network/operations/addresses.py",
                "known.filter(reusable=True, quarantined_until__gt=now)",
                "known.none()",
            ),
        ),
        tests=(
            "tests/network/test_account_changes.py::"
            "test_what_somebody_holds_or_has_just_given_back_is_not_chosen",
        ),
    ),
)
