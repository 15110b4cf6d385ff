"""SQL of billing: guards that hold for COPY, races and people in psql."""
