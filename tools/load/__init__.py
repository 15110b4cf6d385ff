"""Open-loop load for a RADIUS server: tools/radius_load.py is its command line."""
