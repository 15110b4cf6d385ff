"""Facts of the network, with their wire names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from dotmac.core.events import Event
from dotmac.core.refs import SubjectRef


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordEvent(Event):
    """A fact about one record of plain settings (NAS, site, pool, prefix…)."""

    kind: ClassVar[str] = ""

    record_id: int
    label: str

    @property
    def subject(self) -> SubjectRef:
        return SubjectRef("network", self.kind, self.record_id, self.label)


class NasCreated(RecordEvent):
    name = "network.nas.created.v1"
    kind = "nas"


class NasChanged(RecordEvent):
    name = "network.nas.changed.v1"
    kind = "nas"


class NasSecretProposed(RecordEvent):
    name = "network.nas.secret_proposed.v1"
    kind = "nas"


class NasSecretScheduled(RecordEvent):
    name = "network.nas.secret_scheduled.v1"
    kind = "nas"


class NasSecretConfirmed(RecordEvent):
    name = "network.nas.secret_confirmed.v1"
    kind = "nas"


class NasSecretRolledBack(RecordEvent):
    name = "network.nas.secret_rolled_back.v1"
    kind = "nas"


class SiteCreated(RecordEvent):
    name = "network.site.created.v1"
    kind = "site"


class VrfCreated(RecordEvent):
    name = "network.vrf.created.v1"
    kind = "vrf"


class PoolCreated(RecordEvent):
    name = "network.pool.created.v1"
    kind = "pool"


class PrefixCreated(RecordEvent):
    name = "network.prefix.created.v1"
    kind = "prefix"


class RateProfileCreated(RecordEvent):
    name = "network.rate_profile.created.v1"
    kind = "rate_profile"


class RateProfileChanged(RecordEvent):
    name = "network.rate_profile.changed.v1"
    kind = "rate_profile"


class VlanGroupCreated(RecordEvent):
    name = "network.vlan_group.created.v1"
    kind = "vlan_group"


class AccountImportBegun(RecordEvent):
    name = "network.account_import.begun.v1"
    kind = "account_import"


class AccountImportChanged(RecordEvent):
    name = "network.account_import.changed.v1"
    kind = "account_import"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountEvent(Event):
    """A fact about one access account."""

    account_id: int
    login: str

    @property
    def subject(self) -> SubjectRef:
        return SubjectRef("network", "account", self.account_id, self.login)


class AccessOpened(AccountEvent):
    name = "network.account.opened.v1"


class AccessChanged(AccountEvent):
    name = "network.account.changed.v1"


class AccessClosed(AccountEvent):
    name = "network.account.closed.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressAllocated(AccountEvent):
    name = "network.address.allocated.v1"

    address: str
    pool_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressReleased(AccountEvent):
    name = "network.address.released.v1"

    address: str
    pool_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VlanAssigned(AccountEvent):
    name = "network.vlan.assigned.v1"

    group_id: int
    vid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HandleAdded(AccountEvent):
    """Whose device or line it is must not stand in the audit, which cannot forget."""

    name = "network.handle.added.v1"

    handle_kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HandleRemoved(AccountEvent):
    name = "network.handle.removed.v1"

    handle_kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldPlaced(AccountEvent):
    name = "network.hold.placed.v1"

    reason: str
    effect: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldLifted(AccountEvent):
    name = "network.hold.lifted.v1"

    reason: str
