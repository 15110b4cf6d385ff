"""REST views of catalog."""
