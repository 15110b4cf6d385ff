"""Tables of the network, one file per aggregate."""

from apps.network.models.access import AccessAccount, AccessHold
from apps.network.models.addresses import AddressAssignment, AddressPool, Prefix, Vrf
from apps.network.models.attempts import AccessAttempt, AttemptBatch
from apps.network.models.coa import CoaRequest
from apps.network.models.disconnects import DisconnectRun
from apps.network.models.equipment import Nas, Site
from apps.network.models.handles import AccessHandle
from apps.network.models.imports import AccountImport, AccountImportRow
from apps.network.models.nas_health import NasHealth
from apps.network.models.nas_secrets import NasSecret
from apps.network.models.profiles import RateProfile
from apps.network.models.sessions import SessionHistory, SessionLive, UsageHour
from apps.network.models.vendors import NasAttribute, VendorMap, VendorRule
from apps.network.models.vlans import Vlan, VlanGroup

__all__ = [
    "AccessAccount",
    "AccessAttempt",
    "AccessHandle",
    "AccessHold",
    "AccountImport",
    "AccountImportRow",
    "AddressAssignment",
    "AddressPool",
    "AttemptBatch",
    "CoaRequest",
    "DisconnectRun",
    "Nas",
    "NasAttribute",
    "NasHealth",
    "NasSecret",
    "Prefix",
    "RateProfile",
    "SessionHistory",
    "SessionLive",
    "Site",
    "UsageHour",
    "VendorMap",
    "VendorRule",
    "Vlan",
    "VlanGroup",
    "Vrf",
]
