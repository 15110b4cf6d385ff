"""Pure arithmetic and decisions of catalog: no Django, no clock, no chance."""
