"""Documents of billing: what goes on paper (content), and how it is drawn (render)."""
