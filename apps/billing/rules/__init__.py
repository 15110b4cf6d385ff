"""Pure arithmetic of money: no queries, no clock, no Django."""
