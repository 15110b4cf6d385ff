"""Pure rules of ops."""
