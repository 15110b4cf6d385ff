"""Identity's part of the nightly check."""

from apps.identity import operations as identity
from apps.identity.models import ApiKey, OrganisationUnit, RecoveryCode
from apps.identity.selectors.integrity import INVARIANTS
from apps.ops import operations as ops
from tests.world import NOON, SYSTEM


def test_a_missing_operator_is_found(own_database):
    OrganisationUnit.objects.all().delete()

    findings = {
        finding.invariant.name: finding.offending
        for finding in ops.check_integrity(actor=SYSTEM, now=NOON)
    }

    mine = {invariant.name: findings[invariant.name] for invariant in INVARIANTS}
    assert {name for name, count in mine.items() if count} == {"identity.one_operator"}


def test_codes_without_a_factor_and_keys_of_customers_are_found(own_database):
    from tests.world import World

    world = World()
    RecoveryCode.objects.create(user=world.chidi.user, digest="x")
    ApiKey.objects.create(
        user=world.chidi.user,
        name="x",
        prefix="x",
        digest="x",
        scopes=["a.b"],
        expires_at=NOON,
    )
    identity.make_recovery_codes(user_id=world.ada.id, actor=world.ada.actor, now=NOON)

    broken = {
        finding.invariant.name
        for finding in ops.check_integrity(actor=SYSTEM, now=NOON)
        if finding.offending
    }
    assert broken == {
        "identity.recovery_codes_stand_beside_a_factor",
        "identity.api_keys_are_staff",
    }
