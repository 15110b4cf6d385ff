"""A stand-in for Paystack that follows its published protocol.

For tests and for the demonstration installation: it serves initialise, verify
and the hosted page (marked as simulated), and sends signed webhooks. No money
moves. The names, states and answers are those of Paystack's API; the
behaviours that tests need (an error, a hang, another amount, repeated
webhooks) are switches of `Behaviour`.
"""

from dotmac.devtools.paystack.book import Behaviour, Transaction
from dotmac.devtools.paystack.server import PaystackSimulator

__all__ = ["Behaviour", "PaystackSimulator", "Transaction"]
