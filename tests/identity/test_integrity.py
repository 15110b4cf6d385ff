"""Identity's part of the nightly check."""

from apps.identity.models import OrganisationUnit
from apps.identity.selectors.integrity import INVARIANTS
from apps.ops import operations as ops
from tests.world import NOON


def test_a_missing_operator_is_found(own_database):
    OrganisationUnit.objects.all().delete()

    findings = {
        finding.invariant.name: finding.offending
        for finding in ops.check_integrity(now=NOON)
    }

    mine = {invariant.name: findings[invariant.name] for invariant in INVARIANTS}
    assert {name for name, count in mine.items() if count} == {"identity.one_operator"}
