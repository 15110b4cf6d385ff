"""Ten services, one image: which part of the routes this process serves, and the way
to the processes that serve the others."""
