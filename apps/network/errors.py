"""What network refuses, with stable codes."""

from __future__ import annotations

from dotmac.core.errors import Conflict, InvalidInput, NotFound


class LoginTaken(Conflict):
    """An open account has this login already."""

    code = "login_taken"
    title = "This login is in use."


class HandleTaken(Conflict):
    """An open account is known by this device or line already."""

    code = "handle_taken"
    title = "This device or line belongs to an account already."


class AccountClosed(Conflict):
    """The account is closed for good."""

    code = "account_closed"
    title = "The access account is closed."


class PoolExhausted(Conflict):
    """No address of the pool is free, or all free ones still rest."""

    code = "pool_exhausted"
    title = "The pool has no free address."


class AddressTaken(Conflict):
    """Somebody else holds the address, or a block around or inside it."""

    code = "address_taken"
    title = "Somebody else holds this address."


class AddressRests(Conflict):
    """Its last holder gave it back a short while ago; others get it later."""

    code = "address_rests"
    title = "The address was given back a short while ago and still rests."


class PoolGivesNoAddresses(Conflict):
    """The NAS hands out the addresses of this pool, not DotMac."""

    code = "pool_is_on_nas"
    title = "The NAS hands out the addresses of this pool."


class VlanGroupExhausted(Conflict):
    """Every VLAN id of the group is in use."""

    code = "vlan_group_exhausted"
    title = "The VLAN group has no free id."


class PrefixOverlaps(Conflict):
    """The prefix collides with another one of the same VRF."""

    code = "prefix_overlaps"
    title = "The prefix overlaps another one."


class PrefixInUse(Conflict):
    """Addresses of the prefix were given out; it keeps its range."""

    code = "prefix_in_use"
    title = "Addresses of this prefix were given out."


class NameTaken(Conflict):
    """Another record of this kind has the name."""

    code = "name_taken"
    title = "This name is in use."


class NasAddressTaken(Conflict):
    """Another NAS sends from this address."""

    code = "nas_address_taken"
    title = "Another NAS has this address."


class SecretChangeOpen(Conflict):
    """The secret of this NAS is being changed: finish that first."""

    code = "secret_change_open"
    title = "The secret of this NAS is being changed."


class NoSecretChange(Conflict):
    """No other secret waits for this NAS."""

    code = "no_secret_change"
    title = "No new secret waits for this NAS."


class SecretConfirmed(Conflict):
    """The NAS has shown that it has the new secret."""

    code = "secret_confirmed"
    title = "The NAS uses the new secret already."


class VendorInUse(Conflict):
    """A NAS is of the vendor whose map is gone."""

    code = "vendor_in_use"
    title = "A NAS is of this vendor: its map stays."


class ImportNotReady(Conflict):
    """The import is not in the state that this needs."""

    code = "import_not_ready"
    title = "The import is past this, or has not come so far."


class SessionUnknown(NotFound):
    """There is no such session, or it is no longer open."""

    code = "session_unknown"
    title = "There is no such open session."


class AccessValueRefused(InvalidInput):
    """A login, password or MAC address is malformed."""

    code = "invalid"
