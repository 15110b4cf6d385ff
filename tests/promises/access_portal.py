"""Which permission each page of the portal asks for, written by hand."""

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
