"""What federation does: people come in from elsewhere, and go on to other tools."""

from apps.federation.operations.applications import (
    NewSecret,
    change_application,
    register_application,
    renew_application_secret,
    switch_application,
)
from apps.federation.operations.connections import (
    ConnectionFacts,
    change_connection,
    check_connection,
    create_connection,
    switch_connection,
)
from apps.federation.operations.consents import withdraw_consent
from apps.federation.operations.flows import (
    Begun,
    begin_federated,
    forget_flows,
    take_saml_answer,
)
from apps.federation.operations.mappings import map_role, unlink_person, unmap_role
from apps.federation.operations.personal import forget_people
from apps.federation.operations.provider import (
    Given,
    exchange_code,
    forget_codes,
    give_code,
    revoke_token,
)
from apps.federation.operations.sign_in import CameBack, finish_federated
from apps.federation.operations.withdrawal import withdraw_lapsed

__all__ = [
    "Begun",
    "CameBack",
    "ConnectionFacts",
    "Given",
    "NewSecret",
    "begin_federated",
    "change_application",
    "change_connection",
    "check_connection",
    "create_connection",
    "exchange_code",
    "finish_federated",
    "forget_codes",
    "forget_flows",
    "forget_people",
    "give_code",
    "map_role",
    "register_application",
    "renew_application_secret",
    "revoke_token",
    "switch_application",
    "switch_connection",
    "take_saml_answer",
    "unlink_person",
    "unmap_role",
    "withdraw_consent",
    "withdraw_lapsed",
]
