"""How passwords are hashed: Argon2id with the second choice of RFC 9106."""

from django.contrib.auth.hashers import Argon2PasswordHasher

PASSES = 3
MEMORY_KIB = 64 * 1024
LANES = 4


class Argon2idHasher(Argon2PasswordHasher):
    """64 MiB, three passes, four lanes; older hashes are renewed at sign-in."""

    time_cost = PASSES
    memory_cost = MEMORY_KIB
    parallelism = LANES
