from rest_framework.routers import SimpleRouter

from apps.network.api.accounts import AccountViewSet
from apps.network.api.equipment import (
    CoaRequestViewSet,
    NasViewSet,
    RateProfileViewSet,
    SiteViewSet,
)
from apps.network.api.explain import LoginAttemptViewSet
from apps.network.api.space import (
    AddressViewSet,
    PoolViewSet,
    PrefixViewSet,
    VlanGroupViewSet,
    VlanViewSet,
    VrfViewSet,
)

router = SimpleRouter(trailing_slash=False)
router.register("sites", SiteViewSet, basename="site")
router.register("nas", NasViewSet, basename="nas")
router.register("rate-profiles", RateProfileViewSet, basename="rate-profile")
router.register("coa-requests", CoaRequestViewSet, basename="coa-request")
router.register("vrfs", VrfViewSet, basename="vrf")
router.register("pools", PoolViewSet, basename="pool")
router.register("prefixes", PrefixViewSet, basename="prefix")
router.register("addresses", AddressViewSet, basename="address")
router.register("vlan-groups", VlanGroupViewSet, basename="vlan-group")
router.register("vlans", VlanViewSet, basename="vlan")
router.register("accounts", AccountViewSet, basename="account")
router.register("login-attempts", LoginAttemptViewSet, basename="login-attempt")

urlpatterns = router.urls
