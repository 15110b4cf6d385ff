"""Pure arithmetic of identity: no database, no clock."""
