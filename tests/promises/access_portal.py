"""What each page of the portal and each door asks for, written by hand."""

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
oidc-authorize person
oidc-end-session nobody
oidc-token proof
oidc-userinfo proof
oidc-revoke proof
"""
