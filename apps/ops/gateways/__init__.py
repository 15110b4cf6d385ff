"""What ops keeps outside the database."""
