"""A network of simulated NASes and subscribers that speaks real RADIUS.

It stands outside: it knows what a NAS knows (its secret, its subscribers' names
and passwords), sends packets to the listening server and answers the server's
own. Nothing here writes to the database.
"""
