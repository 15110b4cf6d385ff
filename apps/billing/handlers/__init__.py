"""What billing does when something happened: one module for bills, one for cash."""
