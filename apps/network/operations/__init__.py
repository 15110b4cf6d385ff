"""What may be done to the network, in the order in which an ISP does it."""

from apps.network.operations.access import (
    KEEP,
    change_access,
    close_access,
    open_access,
)
from apps.network.operations.addresses import (
    allocate_address,
    assign_address,
    release_address,
)
from apps.network.operations.attempts import (
    BATCH_MAX,
    forget_attempts,
    note_lost_attempts,
    set_attempt_sampling,
    store_attempts,
)
from apps.network.operations.checking import (
    PLATFORM_NAS,
    check_access,
    ensure_platform_nas,
    silent_ports,
)
from apps.network.operations.coa import (
    COA_ATTEMPTS_MAX,
    claim_coa_requests,
    reconcile_coa,
    settle_coa_requests,
)
from apps.network.operations.comparing import (
    begin_comparison,
    compare_servers,
    store_comparison,
)
from apps.network.operations.disconnects import request_disconnects
from apps.network.operations.equipment import change_nas, create_nas, create_site
from apps.network.operations.handles import add_handle, remove_handle
from apps.network.operations.holds import lift_hold, place_hold
from apps.network.operations.import_reading import begin_import
from apps.network.operations.imports import (
    carry_import,
    discard_import,
    forget_imports,
    start_import,
    undo_import,
)
from apps.network.operations.many import (
    DisconnectBatch,
    carry_disconnects,
    disconnect_place,
    disconnect_sessions,
)
from apps.network.operations.nas_health import measure_nas_health
from apps.network.operations.nas_secrets import (
    ROLL_BACK_MAX,
    ROLL_BACK_MIN,
    propose_nas_secret,
    roll_back_nas_secret,
    schedule_nas_secret,
    settle_nas_secrets,
)
from apps.network.operations.personal import forget_accounts
from apps.network.operations.prefixes import create_pool, create_prefix, create_vrf
from apps.network.operations.profiles import (
    change_rate_profile,
    create_rate_profile,
    tell_profiles,
)
from apps.network.operations.retention import (
    FORGET_MAX,
    forget_coa_requests,
    forget_sessions,
    forget_usage,
)
from apps.network.operations.sessions import (
    ARCHIVE_MAX,
    SWEEP_MAX,
    archive_sessions,
    close_restarted_sessions,
    close_silent_sessions,
    disconnect_session,
    ensure_session_partitions,
)
from apps.network.operations.vendors import (
    add_nas_attribute,
    load_vendor_maps,
    remove_nas_attribute,
)
from apps.network.operations.vlans import assign_vlan, create_vlan_group

__all__ = [
    "ARCHIVE_MAX",
    "BATCH_MAX",
    "COA_ATTEMPTS_MAX",
    "FORGET_MAX",
    "KEEP",
    "PLATFORM_NAS",
    "ROLL_BACK_MAX",
    "ROLL_BACK_MIN",
    "SWEEP_MAX",
    "DisconnectBatch",
    "add_handle",
    "add_nas_attribute",
    "allocate_address",
    "archive_sessions",
    "assign_address",
    "assign_vlan",
    "begin_comparison",
    "begin_import",
    "carry_disconnects",
    "carry_import",
    "change_access",
    "change_nas",
    "change_rate_profile",
    "check_access",
    "claim_coa_requests",
    "close_access",
    "close_restarted_sessions",
    "close_silent_sessions",
    "compare_servers",
    "create_nas",
    "create_pool",
    "create_prefix",
    "create_rate_profile",
    "create_site",
    "create_vlan_group",
    "create_vrf",
    "discard_import",
    "disconnect_place",
    "disconnect_session",
    "disconnect_sessions",
    "ensure_platform_nas",
    "ensure_session_partitions",
    "forget_accounts",
    "forget_attempts",
    "forget_coa_requests",
    "forget_imports",
    "forget_sessions",
    "forget_usage",
    "lift_hold",
    "load_vendor_maps",
    "measure_nas_health",
    "note_lost_attempts",
    "open_access",
    "place_hold",
    "propose_nas_secret",
    "reconcile_coa",
    "release_address",
    "remove_handle",
    "remove_nas_attribute",
    "request_disconnects",
    "roll_back_nas_secret",
    "schedule_nas_secret",
    "set_attempt_sampling",
    "settle_coa_requests",
    "settle_nas_secrets",
    "silent_ports",
    "start_import",
    "store_attempts",
    "store_comparison",
    "tell_profiles",
    "undo_import",
]
