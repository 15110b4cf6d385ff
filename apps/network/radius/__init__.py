"""RADIUS: the packets, the two servers, and the client.

Django is only needed where rows are read; the servers know three SQL functions.
"""
