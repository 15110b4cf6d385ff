"""What network refuses, with stable codes."""

from __future__ import annotations

from dotmac.core.errors import Conflict, InvalidInput, NotFound


class LoginTaken(Conflict):
    """An open account has this login already."""

    code = "login_taken"
    title = "This login is in use."


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


class VendorInUse(Conflict):
    """A NAS is of the vendor whose map is gone."""

    code = "vendor_in_use"
    title = "A NAS is of this vendor: its map stays."


class SessionUnknown(NotFound):
    """There is no such session, or it is no longer open."""

    code = "session_unknown"
    title = "There is no such open session."


class AccessValueRefused(InvalidInput):
    """A login, password or MAC address is malformed."""

    code = "invalid"
