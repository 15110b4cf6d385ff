"""SQL that migrations read by `dotmac.core.db.sql_file`."""
