"""Production's rules with its own name."""

from dotmac.settings.production import *

ENVIRONMENT = "staging"
