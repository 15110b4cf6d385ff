"""The console's pages: every screen of every app goes through these views."""
