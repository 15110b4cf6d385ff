"""Sites, access servers, rate profiles, and what NASes were asked."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.network import operations, selectors
from apps.network.api.requests import (
    NasChanges,
    NewNas,
    NewNasAttribute,
    NewRateProfile,
    NewSite,
    RateProfileChanges,
    SecretSwitch,
)
from apps.network.api.serializers import (
    CoaRequestSerializer,
    NasAttributeSerializer,
    NasSecretSerializer,
    NasSerializer,
    NewNasAnswer,
    NewNasSecretAnswer,
    RateProfileSerializer,
    SiteSerializer,
)
from apps.network.enums import CoaKind, CoaState
from apps.network.models import CoaRequest, Nas, RateProfile, Site
from apps.network.rules.addressing import parsed_address
from dotmac.core.actors import Actor
from dotmac.core.api import filters
from dotmac.core.api.viewsets import (
    ApiViewSet,
    ListMixin,
    RetrieveMixin,
    require_match,
)


class SiteViewSet(ListMixin, RetrieveMixin, ApiViewSet):
    """Places where equipment stands."""

    queryset = Site.objects.none()
    serializer_class = SiteSerializer
    permission_by_action = {
        "list": "network.view_site",
        "retrieve": "network.view_site",
        "create": "network.create_site",
    }
    filters = {"name": filters.exact("name")}

    def rows(self, actor: Actor, permission: str) -> QuerySet[Site]:
        return selectors.sites(actor, permission)

    @extend_schema(request=NewSite, responses={201: SiteSerializer})
    def create(self, request: Request) -> Response:
        """Add a site. Coordinates come both or not at all."""
        site = operations.create_site(
            **self.body(NewSite), actor=self.actor, now=timezone.now()
        )
        return self.answer(site, status=201)


class NasViewSet(ListMixin, RetrieveMixin, ApiViewSet):
    """Access servers that ask RADIUS. Their secrets are written, never read."""

    queryset = Nas.objects.none()
    serializer_class = NasSerializer
    permission_by_action = {
        "list": "network.view_nas",
        "retrieve": "network.view_nas",
        "create": "network.create_nas",
        "partial_update": "network.change_nas",
        "attributes": "network.view_nas",
        "add_attribute": "network.change_nas",
        "remove_attribute": "network.change_nas",
        "secret": "network.view_nas",  # nosec B105
        "propose_secret": "network.change_nas",  # nosec B105
        "switch_secret": "network.change_nas",  # nosec B105
        "roll_back_secret": "network.change_nas",  # nosec B105
    }
    filters = {
        "name": filters.exact("name"),
        "address": filters.search(
            lambda text: Q(address=str(parsed_address(text))), "Its source address."
        ),
        "vendor": filters.exact("vendor"),
        "site": filters.number("site_id"),
        "enabled": filters.yes_no(lambda value: Q(enabled=value)),
    }

    def rows(self, actor: Actor, permission: str) -> QuerySet[Nas]:
        return selectors.nas_list(actor, permission)

    @extend_schema(request=NewNas, responses={201: NewNasAnswer})
    def create(self, request: Request) -> Response:
        """Add a NAS: RADIUS answers it at once. The secret is shown this once."""
        nas = operations.create_nas(
            **self.body(NewNas), actor=self.actor, now=timezone.now()
        )
        context = {"clear_secret": selectors.nas_secret(nas.pk)}
        response = Response(NewNasAnswer(nas, context=context).data, status=201)
        response["ETag"] = nas.etag
        return response

    @extend_schema(request=NasChanges, responses=NasSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change what is given, or give it another secret."""
        nas = self.get_object()
        require_match(request, nas)
        nas = operations.change_nas(
            nas_id=nas.pk, changes=self.body(NasChanges), actor=self.actor,
            now=timezone.now(),
        )  # fmt: skip
        return self.answer(nas)

    @extend_schema(responses=NasAttributeSerializer(many=True))
    @action(detail=True, methods=["get"], pagination_class=None, filter_backends=[])
    def attributes(self, request: Request, pk: str) -> Response:
        """What the NAS is told besides its vendor's map."""
        rows = selectors.nas_attributes(self.get_object().pk)
        return Response(NasAttributeSerializer(rows, many=True).data)

    @extend_schema(request=NewNasAttribute, responses={201: NasAttributeSerializer})
    @attributes.mapping.post
    def add_attribute(self, request: Request, pk: str) -> Response:
        """Tell it an attribute with every answer; adding it again changes nothing."""
        row = operations.add_nas_attribute(
            nas_id=self.get_object().pk, **self.body(NewNasAttribute),
            actor=self.actor, now=timezone.now(),
        )  # fmt: skip
        return Response(NasAttributeSerializer(row).data, status=201)

    @extend_schema(responses={204: None})
    @action(
        detail=True,
        methods=["delete"],
        url_path=r"attributes/(?P<attribute>[0-9]{1,18})",
    )
    def remove_attribute(self, request: Request, pk: str, attribute: str) -> Response:
        """Tell it no longer."""
        operations.remove_nas_attribute(
            nas_id=self.get_object().pk, attribute_id=int(attribute),
            actor=self.actor, now=timezone.now(),
        )  # fmt: skip
        return Response(status=204)

    @extend_schema(responses=NasSecretSerializer(many=True))
    @action(detail=True, methods=["get"], pagination_class=None, filter_backends=[])
    def secret(self, request: Request, pk: str) -> Response:
        """How far the latest change of its secret has come, and how others ended."""
        rows = selectors.nas_secret_changes(self.get_object().pk)
        return Response(NasSecretSerializer(rows, many=True).data)

    @extend_schema(request=None, responses={201: NewNasSecretAnswer})
    @secret.mapping.post
    def propose_secret(self, request: Request, pk: str) -> Response:
        """Make another secret, shown this once. Nothing changes until it is switched."""
        row, clear = operations.propose_nas_secret(
            nas_id=self.get_object().pk, actor=self.actor, now=timezone.now()
        )
        answer = NewNasSecretAnswer(row, context={"clear_secret": clear})
        return Response(answer.data, status=201)

    @extend_schema(responses=NasSecretSerializer)
    @secret.mapping.delete
    def roll_back_secret(self, request: Request, pk: str) -> Response:
        """Take the new one back: the old one counts, within 15 seconds."""
        row = operations.roll_back_nas_secret(
            nas_id=self.get_object().pk, actor=self.actor, now=timezone.now()
        )
        return Response(NasSecretSerializer(row).data)

    @extend_schema(request=SecretSwitch, responses=NasSecretSerializer)
    @action(detail=True, methods=["post"], url_path="secret/switch")
    def switch_secret(self, request: Request, pk: str) -> Response:
        """Say when the proposed one begins to count; anew until then."""
        row = operations.schedule_nas_secret(
            nas_id=self.get_object().pk, **self.body(SecretSwitch),
            actor=self.actor, now=timezone.now(),
        )  # fmt: skip
        return Response(NasSecretSerializer(row).data)


class RateProfileViewSet(ListMixin, RetrieveMixin, ApiViewSet):
    """Speeds that accounts are given."""

    queryset = RateProfile.objects.none()
    serializer_class = RateProfileSerializer
    permission_by_action = {
        "list": "network.view_rate_profile",
        "retrieve": "network.view_rate_profile",
        "create": "network.create_rate_profile",
        "partial_update": "network.change_rate_profile",
    }
    filters = {"name": filters.exact("name")}

    def rows(self, actor: Actor, permission: str) -> QuerySet[RateProfile]:
        return selectors.rate_profiles(actor, permission)

    @extend_schema(request=NewRateProfile, responses={201: RateProfileSerializer})
    def create(self, request: Request) -> Response:
        """Add a speed."""
        profile = operations.create_rate_profile(
            **self.body(NewRateProfile), actor=self.actor, now=timezone.now()
        )
        return self.answer(profile, status=201)

    @extend_schema(request=RateProfileChanges, responses=RateProfileSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change what is given. Another speed reaches running sessions as well."""
        profile = self.get_object()
        require_match(request, profile)
        profile = operations.change_rate_profile(
            profile_id=profile.pk, changes=self.body(RateProfileChanges),
            actor=self.actor, now=timezone.now(),
        )  # fmt: skip
        return self.answer(profile)


class CoaRequestViewSet(ListMixin, RetrieveMixin, ApiViewSet):
    """Disconnects and changes that NASes were asked for, with their answers."""

    queryset = CoaRequest.objects.none()
    serializer_class = CoaRequestSerializer
    permission_by_action = {
        "list": "network.view_session",
        "retrieve": "network.view_session",
    }
    filters = {
        "kind": filters.exact("kind", CoaKind),
        "state": filters.exact("state", CoaState),
        "account": filters.number("account_id"),
        "nas": filters.number("nas_id"),
    }

    def rows(self, actor: Actor, permission: str) -> QuerySet[CoaRequest]:
        return selectors.coa_requests(actor, permission)
