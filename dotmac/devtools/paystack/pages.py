"""The hosted page of the simulated gateway: plain HTML, no script."""

from __future__ import annotations

from html import escape
from urllib.parse import urlsplit

from dotmac.core.money import Money
from dotmac.devtools.paystack.book import Transaction

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="stylesheet" href="/checkout.css">
</head>
<body>
<p class="banner" role="note"><strong>Simulated gateway &ndash; no real money.</strong>
This page stands in for Paystack's checkout.</p>
<main>{main}</main>
</body>
</html>
"""

_CHECKOUT = """
<h1>Pay {amount}</h1>
{notice}
<dl><dt>Payer</dt><dd>{email}</dd><dt>Reference</dt><dd>{reference}</dd></dl>
<form method="post" action="/checkout/{code}">
<button class="pay" name="act" value="pay">Pay {amount}</button>
<button name="act" value="decline">Decline (as the bank would)</button>
<button name="act" value="abandon">Abandon and go back</button>
</form>
"""

STYLESHEET = """
body{margin:0;font:16px/1.5 system-ui,sans-serif;color:#1b2733;background:#eef1f4}
.banner{margin:0;padding:.75rem 1rem;background:#7a1f00;color:#fff;text-align:center}
main{max-width:26rem;margin:1.5rem auto;padding:1.5rem;background:#fff;
border:1px solid #c9d2da;border-radius:.5rem}
h1{font-size:1.4rem;margin:0 0 1rem}
dl{display:grid;grid-template-columns:auto 1fr;gap:.25rem 1rem;margin:0 0 1rem}
dt{color:#51606e}dd{margin:0;overflow-wrap:anywhere}
button,.button{display:block;width:100%;min-height:44px;margin:.5rem 0;font:inherit;
border:1px solid #51606e;border-radius:.35rem;background:#fff;color:#1b2733;
box-sizing:border-box;padding:.5rem;text-align:center;text-decoration:none}
.pay{background:#0a6b43;border-color:#0a6b43;color:#fff;font-weight:600}
.notice{padding:.5rem .75rem;background:#fff3cd;border:1px solid #9a7400}
button:focus-visible,.button:focus-visible{outline:3px solid #0b57d0;outline-offset:2px}
"""


def checkout_page(row: Transaction) -> str:
    notice = ""
    if row.status == "failed":
        notice = '<p class="notice">The bank declined. No money moved; you may try again.</p>'
    return _page(
        "Simulated Paystack checkout",
        _CHECKOUT.format(
            amount=escape(str(Money(row.amount, row.currency))),
            email=escape(row.email),
            reference=escape(row.reference),
            code=escape(row.access_code),
            notice=notice,
        ),
    )


def done_page(row: Transaction) -> str:
    """Shown when the merchant gave no address to return to."""
    words = {"success": "Paid", "failed": "Declined"}.get(row.status, "Not completed")
    return _page(words, f"<h1>{words}</h1><p>Reference {escape(row.reference)}</p>")


def error_page(message: str) -> str:
    return _page("Not found", f"<h1>{escape(message)}</h1>")


def policy_for(row: Transaction | None) -> str:
    """The page's CSP. A browser holds redirects after a form to form-action."""
    targets = "'self'"
    if row is not None:
        for url in (row.callback_url, row.cancel_url):
            parts = urlsplit(url)
            if parts.scheme in {"http", "https"} and parts.netloc:
                targets += f" {parts.scheme}://{parts.netloc}"
    return (
        "default-src 'none'; style-src 'self'; base-uri 'none'; "
        f"frame-ancestors 'none'; form-action {targets}"
    )


def _page(title: str, main: str) -> str:
    return _PAGE.format(title=escape(title), main=main)
