"""A plausible ISP of a Nigerian city, made by the operations themselves.

Nothing here writes to a table: every customer was registered, every service
ordered, provisioned and checked by a real Access-Request, every bill issued by a
bill run, every payment recorded. Only the clock is an argument.
"""
