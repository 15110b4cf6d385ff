"""What other RADIUS servers keep about their users, read into one form.

Pure: bytes and rows in, users and complaints out. Nothing that was read is dropped
silently: each row ends in a user, in a complaint that names its line, or in a note.
"""

from apps.network.rules.imports.files import Row, Tables, tables_of_files
from apps.network.rules.imports.people import ImportedUser
from apps.network.rules.imports.radcheck import users_of_radius
from apps.network.rules.imports.rates import Rate, rate_of
from apps.network.rules.imports.usermanager import users_of_user_manager

__all__ = [
    "ImportedUser",
    "Rate",
    "Row",
    "Tables",
    "rate_of",
    "tables_of_files",
    "users_of_radius",
    "users_of_user_manager",
]
