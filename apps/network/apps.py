from django.apps import AppConfig

from dotmac.core import invariants, keyreaders, permissions

# The network itself belongs to the operator as a whole.
WHOLE = (
    "view_site",
    "create_site",
    "view_nas",
    "create_nas",
    "change_nas",
    "view_prefix",
    "create_prefix",
    "allocate_address",
    "release_address",
    "view_pool",
    "create_pool",
    "view_vlan",
    "create_vlan_group",
    "view_rate_profile",
    "create_rate_profile",
    "change_rate_profile",
    "disconnect_place",
    "view_account_import",
    "import_accounts",
    "assign_vlan",
)


class NetworkConfig(AppConfig):
    name = "apps.network"
    label = "network"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from apps.network import events  # noqa: F401 - registers the events
        from apps.network.radius import keys
        from apps.network.radius.vendors import files_invariant
        from apps.network.sql.invariants import INVARIANTS

        invariants.register(*INVARIANTS, files_invariant())
        keyreaders.register(
            keyreaders.KeyReader(
                name="RADIUS",
                hand_over=keys.hand_over,
                behind=keys.sessions_behind,
            )
        )
        self._declare_permissions()

    def _declare_permissions(self) -> None:
        permissions.declare(
            "network",
            view_site="See sites.",
            create_site="Add sites.",
            view_nas="See access servers (NAS), never their secrets.",
            create_nas="Add an access server; its secret is shown once.",
            change_nas="Change an access server or its secret.",
            view_prefix="See prefixes, addresses and who held them.",
            create_prefix="Add prefixes and VRFs.",
            allocate_address="Give an account an address by hand.",
            release_address="Take an address back by hand.",
            view_pool="See address pools.",
            create_pool="Add address pools.",
            view_vlan="See VLAN groups and VLAN ids.",
            create_vlan_group="Add VLAN groups.",
            view_rate_profile="See rate profiles.",
            create_rate_profile="Add rate profiles.",
            change_rate_profile="Change a speed; running sessions follow.",
            view_account="See access accounts, their holds and addresses.",
            change_account="Change an account's speed, pool, device or password.",
            assign_vlan="Give an account a VLAN id.",
            place_hold="Hold an access account.",
            lift_hold="Lift a hold of an access account.",
            add_handle="Let a device or a line in without a password.",
            remove_handle="Let a device or a line in no longer.",
            view_session="See sessions, usage and what NASes answered.",
            view_usage="See how much an account used.",
            disconnect_session="End a running session.",
            disconnect_place="End all sessions of an access server or of a site.",
            view_account_import="See imports of users from other RADIUS servers.",
            import_accounts="Import users with their passwords; take an import back.",
        )
        permissions.declare_dangerous("network", "change_nas")
        permissions.declare_whole("network", *WHOLE)
