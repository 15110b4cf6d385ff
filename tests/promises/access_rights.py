"""Who holds what, written by hand: the code under test is not asked.

A line is a permission, what it reaches ("rows": those of one's units and
customers, "whole": only from the operator's top, "own": of the person who asks
and of nobody else, without any role), and the letters of those who hold it: o
owner, m manager, s support, b billing clerk, n network engineer, a auditor, r
reseller; of portal users f everything, p bills, v look only. What is not here
fails the matrix.
"""

PERMISSIONS = """
billing.issue_credit_note rows omb
billing.promise_payment rows omb
billing.record_payment rows omb
billing.reverse_payment rows omb
billing.run_billing whole omb
billing.run_dunning whole omb
billing.set_dunning_policy whole omb
billing.set_tax_rate whole omb
billing.start_checkout rows ombfp
billing.view_dunning rows omsba
billing.view_invoice rows omsbarfp
billing.view_ledger rows omba
billing.view_payment rows omsbarfp
billing.view_run whole omsba
catalog.extend_service rows om
catalog.manage_plan whole om
catalog.order_service rows omsr
catalog.provision_service rows omsnr
catalog.resume_service rows omsr
catalog.reveal_credentials rows oms
catalog.suspend_service rows omsr
catalog.terminate_service rows om
catalog.view_order rows omsbnarfv
catalog.view_plan rows omsbnarfv
catalog.view_service rows omsbnarfv
federation.change_application whole o
federation.change_connection whole o
federation.check_connection whole om
federation.create_connection whole o
federation.map_role whole o
federation.register_application whole o
federation.renew_application_secret whole o
federation.switch_application whole o
federation.switch_connection whole o
federation.unlink_person whole o
federation.view_application whole oma
federation.view_connection whole oma
identity.add_document rows omsbrf
identity.approve_rule whole om
identity.change_customer rows omsbr
identity.change_document rows omsbr
identity.change_own_factors own omsbnarfpv
identity.change_unit rows om
identity.close_customer rows om
identity.create_api_key rows ombn
identity.create_customer rows omsr
identity.create_portal_user rows omsr
identity.create_staff rows om
identity.create_unit rows om
identity.deactivate_user rows om
identity.delete_customer rows om
identity.end_sign_in rows om
identity.erase_customer rows om
identity.export_customer rows omf
identity.grant_access rows o
identity.impersonate_customer rows oms
identity.invite_staff rows om
identity.manage_field whole om
identity.manage_own_access own omsbnarfpv
identity.manage_roles rows o
identity.manage_rules whole o
identity.merge_customer rows om
identity.open_document rows omsbrf
identity.open_export rows om
identity.remove_document rows om
identity.reopen_customer rows oms
identity.reset_mfa rows om
identity.revoke_api_key rows om
identity.set_portal_password rows oms
identity.tag_customer rows omsb
identity.view_access rows oma
identity.view_api_key rows oma
identity.view_customer rows omsbnarfpv
identity.view_document rows omsbarf
identity.view_field rows omsba
identity.view_rule whole oma
identity.view_sign_in rows oma
identity.view_staff rows oma
identity.view_timeline rows omsbna
identity.view_unit rows omsar
identity.write_note rows omsbn
network.add_handle rows omn
network.allocate_address whole omn
network.assign_vlan whole omn
network.change_account rows omn
network.change_nas whole omn
network.change_rate_profile whole omn
network.create_nas whole omn
network.create_pool whole omn
network.create_prefix whole omn
network.create_rate_profile whole omn
network.create_site whole omn
network.create_vlan_group whole omn
network.disconnect_place whole omn
network.disconnect_session rows omsn
network.import_accounts whole omn
network.lift_hold rows omsn
network.place_hold rows omsn
network.release_address whole omn
network.remove_handle rows omn
network.view_account rows omsnar
network.view_account_import whole omsna
network.view_nas whole omsna
network.view_pool whole omsna
network.view_prefix whole omsna
network.view_rate_profile whole omsna
network.view_session rows omsnar
network.view_site whole omsna
network.view_usage rows omsnarfv
network.view_vlan whole omsna
ops.cancel_job rows om
ops.resend_message rows om
ops.retry_event whole om
ops.run_integrity whole om
ops.set_business_date whole o
ops.view_audit rows oma
ops.view_event whole omsa
ops.view_integrity whole omsna
ops.view_job rows omsbna
ops.view_message rows omsba
"""


def lines(table):
    return [line.split() for line in table.strip().splitlines()]


def holders(permission):
    """The letters of those who hold it, and what it reaches."""
    for name, reach, letters in lines(PERMISSIONS):
        if name == permission:
            return letters, reach
    raise LookupError(f"{permission} is not in the table of permissions.")
