"""Documents of billing: what goes on paper, and how it is drawn."""

from apps.billing.documents.content import document_data
from apps.billing.documents.render import render_pdf

__all__ = ["document_data", "render_pdf"]
