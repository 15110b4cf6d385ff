"""Address space and VLANs: VRFs, pools, prefixes, who holds what."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.network import operations, selectors
from apps.network.api.requests import (
    AddressChosen,
    AddressWanted,
    NewPool,
    NewPrefix,
    NewVlanGroup,
    NewVrf,
)
from apps.network.api.serializers import (
    AssignmentSerializer,
    PoolSerializer,
    PrefixSerializer,
    VlanGroupSerializer,
    VlanSerializer,
    VrfSerializer,
)
from apps.network.enums import PoolMode, PrefixKind
from apps.network.models import (
    AddressAssignment,
    AddressPool,
    Prefix,
    Vlan,
    VlanGroup,
    Vrf,
)
from apps.network.rules.addressing import enclosing_blocks, parsed_address
from dotmac.core.actors import Actor
from dotmac.core.api import filters
from dotmac.core.api.viewsets import ApiViewSet, ListMixin, RetrieveMixin
from dotmac.core.errors import InvalidInput


def _around(text: str) -> Q:
    """Prefixes that hold the address."""
    return Q(cidr__net_contains_or_equals=str(parsed_address(text)))


def _holding(text: str) -> Q:
    """Tenancies of the address or of a block around it."""
    return Q(address__in=enclosing_blocks(parsed_address(text)))


class VrfViewSet(ListMixin, ApiViewSet):
    """Routing tables; an address may live once in each."""

    queryset = Vrf.objects.none()
    serializer_class = VrfSerializer
    permission_by_action = {
        "list": "network.view_prefix",
        "create": "network.create_prefix",
    }

    def rows(self, actor: Actor, permission: str) -> QuerySet[Vrf]:
        return selectors.vrfs(actor, permission)

    @extend_schema(request=NewVrf, responses={201: VrfSerializer})
    def create(self, request: Request) -> Response:
        """Add a routing table."""
        vrf = operations.create_vrf(
            **self.body(NewVrf), actor=self.actor, now=timezone.now()
        )
        return self.answer(vrf, status=201)


class PoolViewSet(ListMixin, RetrieveMixin, ApiViewSet):
    """Where addresses are taken from."""

    queryset = AddressPool.objects.none()
    serializer_class = PoolSerializer
    permission_by_action = {
        "list": "network.view_pool",
        "retrieve": "network.view_pool",
        "create": "network.create_pool",
        "allocate": "network.allocate_address",
        "assign": "network.allocate_address",
    }
    filters = {
        "name": filters.exact("name"),
        "mode": filters.exact("mode", PoolMode),
        "vrf": filters.number("vrf_id"),
    }

    def rows(self, actor: Actor, permission: str) -> QuerySet[AddressPool]:
        return selectors.address_pools(actor, permission)

    @extend_schema(request=NewPool, responses={201: PoolSerializer})
    def create(self, request: Request) -> Response:
        """Add a pool; its prefixes come next."""
        pool = operations.create_pool(
            **self.body(NewPool), actor=self.actor, now=timezone.now()
        )
        return self.answer(pool, status=201)

    @extend_schema(request=AddressWanted, responses={201: AssignmentSerializer})
    @action(detail=True, methods=["post"])
    def allocate(self, request: Request, pk: str) -> Response:
        """Give an account the first free address; asked again, the one it holds.

        Problem `pool_exhausted` when nothing is free or rested.
        """
        pool, wanted = self.get_object(), self.body(AddressWanted)["account"]
        given = operations.allocate_address(
            pool_id=pool.pk, account_id=self._account(wanted), actor=self.actor,
            now=timezone.now(),
        )  # fmt: skip
        return Response(AssignmentSerializer(given).data, status=201)

    @extend_schema(request=AddressChosen, responses={201: AssignmentSerializer})
    @action(detail=True, methods=["post"])
    def assign(self, request: Request, pk: str) -> Response:
        """Give an account this address instead of what it holds of the pool.

        Its sessions end. Problems `address_taken` and `address_rests`.
        """
        pool, wanted = self.get_object(), self.body(AddressChosen)
        given = operations.assign_address(
            pool_id=pool.pk, account_id=self._account(wanted["account"]),
            address=wanted["address"], actor=self.actor, now=timezone.now(),
        )  # fmt: skip
        return Response(AssignmentSerializer(given).data, status=201)

    def _account(self, wanted: int) -> int:
        reach = selectors.accounts(self.actor, "network.allocate_address")
        if not reach.filter(pk=wanted).exists():
            raise InvalidInput("There is no such account.", field="account")
        return wanted


class PrefixViewSet(ListMixin, ApiViewSet):
    """Address space with its utilisation."""

    queryset = Prefix.objects.none()
    serializer_class = PrefixSerializer
    permission_by_action = {
        "list": "network.view_prefix",
        "retrieve": "network.view_prefix",
        "create": "network.create_prefix",
    }
    filters = {
        "kind": filters.exact("kind", PrefixKind),
        "vrf": filters.number("vrf_id"),
        "pool": filters.number("pool_id"),
        "site": filters.number("site_id"),
        "contains": filters.search(_around, "An address inside."),
    }

    def rows(self, actor: Actor, permission: str) -> QuerySet[Prefix]:
        return selectors.prefixes(actor, permission)

    def paginate_queryset(self, queryset: Any) -> Any:
        """One page with the utilisation of its prefixes, in one more query."""
        return _with_usage(super().paginate_queryset(queryset) or [])

    @extend_schema(responses=PrefixSerializer)
    def retrieve(self, request: Request, pk: str) -> Response:
        """One prefix."""
        return self.answer(_with_usage([self.get_object()])[0])

    @extend_schema(request=NewPrefix, responses={201: PrefixSerializer})
    def create(self, request: Request) -> Response:
        """Add address space. Problem `prefix_overlaps` names the `prefix` in the way."""
        prefix = operations.create_prefix(
            **self.body(NewPrefix), actor=self.actor, now=timezone.now()
        )
        return self.answer(_with_usage([prefix])[0], status=201)


class AddressViewSet(ListMixin, ApiViewSet):
    """Tenancies of addresses, the released ones too: who held what, and when."""

    queryset = AddressAssignment.objects.none()
    serializer_class = AssignmentSerializer
    permission_by_action = {
        "list": "network.view_prefix",
        "destroy": "network.release_address",
    }
    filters = {
        "prefix": filters.number("prefix_id"),
        "pool": filters.number("pool_id"),
        "account": filters.number("account_id"),
        "address": filters.search(_holding, "An address, or one inside a block."),
        "held": filters.yes_no(lambda value: Q(released_at__isnull=value)),
    }

    def rows(self, actor: Actor, permission: str) -> QuerySet[AddressAssignment]:
        return selectors.assignments(actor, permission)

    @extend_schema(responses=AssignmentSerializer)
    def destroy(self, request: Request, pk: str) -> Response:
        """Take the address back; it rests, and who held it stays known."""
        held = self.get_object()
        # A tenancy that is over stays so; the account may hold another address now.
        if held.released_at is None:
            operations.release_address(
                account_id=held.account_id, pool_id=held.pool_id, actor=self.actor,
                now=timezone.now(),
            )  # fmt: skip
        return Response(AssignmentSerializer(self.get_object()).data)


class VlanGroupViewSet(ListMixin, RetrieveMixin, ApiViewSet):
    """Switch domains, or the inner tags of one outer tag."""

    queryset = VlanGroup.objects.none()
    serializer_class = VlanGroupSerializer
    permission_by_action = {
        "list": "network.view_vlan",
        "retrieve": "network.view_vlan",
        "create": "network.create_vlan_group",
    }

    def rows(self, actor: Actor, permission: str) -> QuerySet[VlanGroup]:
        return selectors.vlan_groups(actor, permission)

    @extend_schema(request=NewVlanGroup, responses={201: VlanGroupSerializer})
    def create(self, request: Request) -> Response:
        """Add a group."""
        group = operations.create_vlan_group(
            **self.body(NewVlanGroup), actor=self.actor, now=timezone.now()
        )
        return self.answer(group, status=201)


class VlanViewSet(ListMixin, ApiViewSet):
    """VLAN ids in use."""

    queryset = Vlan.objects.none()
    serializer_class = VlanSerializer
    permission_by_action = {"list": "network.view_vlan"}
    filters = {"group": filters.number("group_id"), "vid": filters.number("vid")}

    def rows(self, actor: Actor, permission: str) -> QuerySet[Vlan]:
        return selectors.vlans(actor, permission)


def _with_usage(prefixes: list[Prefix]) -> list[Prefix]:
    usages = selectors.prefix_usages([prefix.pk for prefix in prefixes])
    for prefix in prefixes:
        prefix.usage = usages[prefix.pk]  # type: ignore[attr-defined]
    return prefixes
