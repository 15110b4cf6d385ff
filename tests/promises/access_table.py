"""Which permission each route, screen and page asks for, written by hand.

A line of API or CONSOLE is a route or a screen and its permission; who holds it
stands in `access_rights`. What is not here fails the matrix.
"""

API = """
GET jobs ops.view_job
GET jobs/* ops.view_job
POST jobs/*/cancel ops.cancel_job
GET messages ops.view_message
GET messages/* ops.view_message
GET audit ops.view_audit
GET audit/* ops.view_audit
GET customers identity.view_customer
POST customers identity.create_customer
GET customers/* identity.view_customer
PUT customers/* identity.change_customer
PATCH customers/* identity.change_customer
DELETE customers/* identity.delete_customer
POST customers/*/close identity.close_customer
GET customers/*/contacts identity.view_customer
POST customers/*/contacts identity.change_customer
GET customers/*/locations identity.view_customer
POST customers/*/locations identity.change_customer
POST auth/step-up identity.manage_own_access
GET auth/sessions identity.manage_own_access
DELETE auth/sessions identity.manage_own_access
DELETE auth/sessions/* identity.manage_own_access
GET api-keys identity.manage_own_access
POST api-keys identity.create_api_key
GET api-keys/* identity.manage_own_access
DELETE api-keys/* identity.manage_own_access
GET units identity.view_unit
POST units identity.create_unit
GET units/* identity.view_unit
GET roles identity.view_staff
POST roles identity.manage_roles
GET roles/* identity.view_staff
PATCH roles/* identity.manage_roles
DELETE roles/* identity.manage_roles
GET access-rules identity.view_rule
POST access-rules identity.manage_rules
GET access-rules/* identity.view_rule
PATCH access-rules/* identity.manage_rules
DELETE access-rules/* identity.manage_rules
POST access-rules/*/approve identity.approve_rule
POST access-rules/*/ask identity.manage_rules
POST access-rules/*/decline identity.approve_rule
POST access-rules/*/state identity.manage_rules
POST access-rules/*/try identity.view_rule
POST access-rules/*/withdraw identity.manage_rules
GET access/explain identity.view_access
GET access/of identity.view_access
GET sites network.view_site
POST sites network.create_site
GET sites/* network.view_site
GET nas network.view_nas
POST nas network.create_nas
GET nas/* network.view_nas
PATCH nas/* network.change_nas
GET rate-profiles network.view_rate_profile
POST rate-profiles network.create_rate_profile
GET rate-profiles/* network.view_rate_profile
GET coa-requests network.view_session
GET coa-requests/* network.view_session
GET vrfs network.view_prefix
POST vrfs network.create_prefix
GET pools network.view_pool
POST pools network.create_pool
GET pools/* network.view_pool
POST pools/*/allocate network.allocate_address
GET prefixes network.view_prefix
POST prefixes network.create_prefix
GET prefixes/* network.view_prefix
GET addresses network.view_prefix
DELETE addresses/* network.release_address
GET vlan-groups network.view_vlan
POST vlan-groups network.create_vlan_group
GET vlan-groups/* network.view_vlan
GET vlans network.view_vlan
GET accounts network.view_account
GET accounts/* network.view_account
POST accounts/*/disconnect network.disconnect_session
POST accounts/*/holds network.place_hold
DELETE accounts/*/holds/non_payment network.lift_hold
GET plans catalog.view_plan
POST plans catalog.manage_plan
GET plans/* catalog.view_plan
GET plans/*/prices catalog.view_plan
POST plans/*/prices catalog.manage_plan
POST plans/*/retire catalog.manage_plan
GET orders catalog.view_order
GET orders/* catalog.view_order
GET services catalog.view_service
POST services catalog.order_service
GET services/* catalog.view_service
POST services/*/provisioning/cancel catalog.provision_service
GET services/*/credentials catalog.reveal_credentials
POST services/*/extend catalog.extend_service
POST services/*/provision catalog.provision_service
GET services/*/provisioning catalog.view_service
POST services/*/resume catalog.resume_service
POST services/*/provisioning/retry catalog.provision_service
POST services/*/suspend catalog.suspend_service
POST services/*/terminate catalog.terminate_service
GET services/*/usage catalog.view_service
GET sessions catalog.view_service
GET billing/invoices billing.view_invoice
GET billing/invoices/* billing.view_invoice
GET billing/invoices/*/pdf billing.view_invoice
GET billing/credit-notes billing.view_invoice
POST billing/credit-notes billing.issue_credit_note
GET billing/credit-notes/* billing.view_invoice
GET billing/runs billing.view_run
POST billing/runs billing.run_billing
GET billing/runs/preview billing.view_run
GET billing/runs/* billing.view_run
GET billing/tax-rates billing.view_run
POST billing/tax-rates billing.set_tax_rate
GET billing/tax-rates/* billing.view_run
GET billing/payments billing.view_payment
POST billing/payments billing.record_payment
GET billing/payments/* billing.view_payment
POST billing/payments/*/reverse billing.reverse_payment
"""

CONSOLE = """
list dunning billing.view_dunning
list payments billing.view_payment
list invoices billing.view_invoice
list ledger billing.view_ledger
list tax-rates billing.view_run
list billing-runs billing.view_run
list audit ops.view_audit
list events ops.view_event
list jobs ops.view_job
list messages ops.view_message
list customers identity.view_customer
list decisions identity.view_rule
list roles identity.view_staff
list units identity.view_unit
list access-rules identity.view_rule
list staff identity.view_staff
list sign-ins identity.view_sign_in
list connections federation.view_connection
list applications federation.view_application
list api-keys identity.view_api_key
list my-keys identity.manage_own_access
list my-passkeys identity.manage_own_access
list my-sign-ins identity.manage_own_access
list my-applications identity.manage_own_access
list login-attempts network.view_session
list sessions network.view_session
list coa-requests network.view_session
list accounts network.view_account
list sites network.view_site
list pools network.view_pool
list rate-profiles network.view_rate_profile
list nas network.view_nas
list prefixes network.view_prefix
list orders catalog.view_order
list plans catalog.view_plan
list provisioning catalog.view_service
list services catalog.view_service
page integrity ops.view_integrity
page access identity.view_access
page access-of identity.view_access
page role-matrix identity.view_staff
page my-security identity.manage_own_access
page my-passkeys/new identity.change_own_factors
form dunning/policy billing.set_dunning_policy
form tax-rates/new billing.set_tax_rate
form billing-runs/new billing.run_billing
form integrity/run ops.run_integrity
form customers/new identity.create_customer
form roles/new identity.manage_roles
form units/new identity.create_unit
form staff/new identity.create_staff
form connections/new federation.create_connection
form connections/new-saml federation.create_connection
form applications/new federation.register_application
form my-keys/new identity.create_api_key
form my-security/password identity.change_own_factors
form my-security/email identity.change_own_factors
form my-security/authenticator identity.change_own_factors
form my-sign-ins/end-others identity.manage_own_access
form access-rules/new identity.manage_rules
form sites/new network.create_site
form pools/new network.create_pool
form rate-profiles/new network.create_rate_profile
form nas/new network.create_nas
form prefixes/new network.create_prefix
form plans/new catalog.manage_plan
detail payments billing.view_payment
action payments/reverse billing.reverse_payment
action payments/ask billing.record_payment
action payments/take billing.record_payment
action payments/dismiss billing.reverse_payment
detail invoices billing.view_invoice
tab invoices/ledger billing.view_ledger
action invoices/credit billing.issue_credit_note
detail billing-runs billing.view_run
detail audit ops.view_audit
detail events ops.view_event
action events/retry ops.retry_event
detail jobs ops.view_job
action jobs/cancel ops.cancel_job
detail messages ops.view_message
action messages/resend ops.resend_message
detail decisions identity.view_rule
detail roles identity.view_staff
action roles/change identity.manage_roles
action roles/delete identity.manage_roles
detail units identity.view_unit
tab units/people identity.view_staff
detail access-rules identity.view_rule
action access-rules/approve identity.approve_rule
action access-rules/decline identity.approve_rule
action access-rules/withdraw identity.manage_rules
action access-rules/switch-on identity.manage_rules
action access-rules/switch-off identity.manage_rules
action access-rules/trial identity.manage_rules
action access-rules/draft identity.manage_rules
action access-rules/change identity.manage_rules
action access-rules/delete identity.manage_rules
detail staff identity.view_staff
tab staff/rights identity.view_access
tab staff/sign-ins identity.view_sign_in
tab staff/keys identity.view_api_key
action staff/invite identity.invite_staff
action staff/reset-mfa identity.reset_mfa
action staff/deactivate identity.deactivate_user
action staff/reactivate identity.deactivate_user
action staff/give-role identity.manage_roles
action staff/take-role identity.manage_roles
action staff/grant identity.grant_access
action staff/revoke identity.grant_access
action sign-ins/end identity.end_sign_in
detail connections federation.view_connection
action connections/change federation.change_connection
action connections/check federation.check_connection
action connections/switch-on federation.switch_connection
action connections/switch-off federation.switch_connection
action connections/map-role federation.map_role
action connections/unmap-role federation.map_role
action connections/unlink federation.unlink_person
detail applications federation.view_application
action applications/change federation.change_application
action applications/renew-secret federation.renew_application_secret
action applications/switch-on federation.switch_application
action applications/switch-off federation.switch_application
action api-keys/revoke identity.revoke_api_key
action my-keys/revoke identity.manage_own_access
action my-passkeys/rename identity.manage_own_access
action my-passkeys/remove identity.change_own_factors
action my-sign-ins/end identity.manage_own_access
action my-applications/withdraw identity.manage_own_access
detail sessions network.view_session
action sessions/disconnect network.disconnect_session
detail coa-requests network.view_session
detail accounts network.view_account
tab accounts/usage network.view_usage
tab accounts/sessions network.view_session
action accounts/hold network.place_hold
action accounts/lift network.lift_hold
action accounts/disconnect network.disconnect_session
detail sites network.view_site
detail pools network.view_pool
detail rate-profiles network.view_rate_profile
detail nas network.view_nas
tab nas/sessions network.view_session
tab nas/requests network.view_session
action nas/change network.change_nas
action nas/renew-secret network.change_nas
detail prefixes network.view_prefix
detail orders catalog.view_order
detail plans catalog.view_plan
action plans/price catalog.manage_plan
action plans/retire catalog.manage_plan
detail provisioning catalog.view_service
action provisioning/retry catalog.provision_service
action provisioning/give-up catalog.provision_service
detail services catalog.view_service
tab services/credentials catalog.reveal_credentials
action services/provision catalog.provision_service
action services/retry catalog.provision_service
action services/resume catalog.resume_service
action services/give-up catalog.provision_service
action services/suspend catalog.suspend_service
action services/extend catalog.extend_service
action services/terminate catalog.terminate_service
detail customers identity.view_customer
tab customers/services catalog.view_service
tab customers/sessions network.view_session
tab customers/billing billing.view_invoice
tab customers/ledger billing.view_ledger
tab customers/payments billing.view_payment
tab customers/people identity.view_customer
tab customers/messages ops.view_message
tab customers/audit ops.view_audit
tab customers/access identity.view_access
action customers/order catalog.order_service
action customers/record-payment billing.record_payment
action customers/promise billing.promise_payment
action customers/withdraw-promise billing.promise_payment
action customers/edit identity.change_customer
action customers/qualify identity.change_customer
action customers/add-location identity.change_customer
action customers/add-contact identity.change_customer
action customers/create-portal-user identity.create_portal_user
action customers/invite identity.create_portal_user
action customers/set-portal-password identity.set_portal_password
action customers/close identity.close_customer
action customers/delete identity.delete_customer
"""

# Of the portal: name, its permission and what it is about.
PORTAL = """
home - -
help - -
choose - -
series - -
devices - -
profile - -
people - -
security - -
services catalog.view_service -
bills billing.view_invoice -
bill billing.view_invoice invoice
bill-pdf billing.view_invoice invoice
payment billing.view_payment payment
pay billing.start_checkout -
pay-return billing.start_checkout -
usage network.view_usage -
"""

# The doors: where people and programs come in. Who is asked for what: nobody (a
# stranger's page), the person behind the door, or what the request itself proves.
DOORS = """
sign-in nobody
code person
sign-out nobody
step-up person
recovery-codes person
passkey-begin nobody
passkey-finish proof
federation-begin nobody
federation-callback proof
federation-acs proof
federation-finish proof
federation-saml nobody
ask-reset nobody
reset proof
confirm-email proof
console-invitation proof
console-enrolment person
portal-invitation proof
portal-account-invitation proof
oidc-authorize person
oidc-end-session nobody
oidc-token proof
oidc-userinfo proof
oidc-revoke proof
"""

# What stands at the root beside the sections above, by its pattern. Who is asked for
# what: nobody, what the request itself proves, a permission (with the shelf of its
# object), `described` (whoever signed in), `developers` and `nothing` (404 to all).
ROOT = """
health nobody
health/live nobody
health/ready nobody
.well-known/jwks.json nobody
.well-known/openid-configuration nobody
.well-known/change-password nobody
api/schema described
api/schema/v2 described
api/docs developers
^api/ nothing
webhooks/paystack proof
console/invoices/<int:pk>/document.pdf billing.view_invoice invoices
console nobody
portal nobody
/ nobody
"""

# What the addresses under /console are called; screens are listed above.
CONSOLE_NAMES = {
    "home", "search", "business-date", "detail", "series", "action", "export", "screen",
}  # fmt: skip
