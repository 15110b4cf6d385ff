"""What the portal's pages, the doors and the root ask for, written by hand."""

# Of the portal: name, its permission and what it is about.
PORTAL = """
home - -
account identity.view_customer -
papers identity.view_document -
own-data identity.export_customer -
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
