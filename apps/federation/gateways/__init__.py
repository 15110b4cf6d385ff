"""Identity providers as they are reached over HTTP."""
