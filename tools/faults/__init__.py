"""Guards taken away on purpose, to see whether a test notices."""
