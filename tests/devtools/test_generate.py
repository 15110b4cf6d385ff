import pytest
from django.core.management import CommandError, call_command

from apps.catalog.models import Service
from apps.identity.models import Customer
from apps.network import selectors as network

pytestmark = pytest.mark.integration


@pytest.mark.usefixtures("own_database")
def test_generated_data_breaks_no_invariant(capsys):
    call_command("generate_isp", "--customers", "60")
    call_command("generate_isp", "--customers", "40")
    assert Customer.objects.count() == Service.objects.count() == 100
    service = Service.objects.latest("pk")
    assert service.access_id is not None
    assert network.account_secret(service.access_id) == "generated-password"
    call_command("check_integrity")
    assert "invariants hold" in capsys.readouterr().out


@pytest.mark.django_db
def test_asks_for_a_sensible_number():
    with pytest.raises(CommandError, match="From 1 to"):
        call_command("generate_isp", "--customers", "0")
