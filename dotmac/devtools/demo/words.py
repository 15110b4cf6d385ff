"""Names, places and plans of the demonstration."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

GIVEN = (
    "Adaeze", "Aisha", "Amina", "Babatunde", "Bolanle", "Chiamaka", "Chidi", "Chinedu",
    "Damilola", "Ebuka", "Efe", "Emeka", "Fatima", "Folake", "Funmilayo", "Halima",
    "Ibrahim", "Ifeoma", "Ikenna", "Jide", "Kehinde", "Kelechi", "Kunle", "Lola",
    "Musa", "Ngozi", "Nkechi", "Obinna", "Olumide", "Oluwaseun", "Onyeka", "Osaze",
    "Rotimi", "Sade", "Segun", "Sola", "Tari", "Temitope", "Tobi", "Uche",
    "Umar", "Yetunde", "Yusuf", "Zainab",
)  # fmt: skip
FAMILY = (
    "Abubakar", "Adebayo", "Adeleke", "Afolabi", "Akande", "Akinwande", "Aliyu", "Amadi",
    "Anyanwu", "Balogun", "Bello", "Briggs", "Chukwu", "Danjuma", "Edet", "Egwu",
    "Ekwueme", "Eze", "Fashola", "Gbadamosi", "Ibekwe", "Igwe", "Ikpeba", "Iwu",
    "Lawal", "Madu", "Mohammed", "Nnamdi", "Nwosu", "Obi", "Odukoya", "Ogunleye",
    "Okafor", "Okeke", "Okonkwo", "Oladipo", "Onuoha", "Osagie", "Oyelaran", "Sani",
    "Shittu", "Usman", "Uzor", "Williams",
)  # fmt: skip
TRADES = (
    "Pharmacy", "Logistics", "Hotel", "Bakery", "Clinic", "Law Chambers", "Print House",
    "Foods", "Academy", "Motors", "Studios", "Supermarket", "Textiles", "Consulting",
)  # fmt: skip
STREETS = (
    "Adeola Odeku Street", "Allen Avenue", "Awolowo Road", "Bode Thomas Street",
    "Broad Street", "Herbert Macaulay Way", "Ikorodu Road", "Isaac John Street",
    "Kudirat Abiola Way", "Ogunlana Drive", "Opebi Road", "Randle Avenue",
    "Toyin Street", "Western Avenue",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Area:
    """A part of town, served from one site with one NAS."""

    name: str
    latitude: Decimal
    longitude: Decimal


AREAS = (
    Area("Ikeja", Decimal("6.6018"), Decimal("3.3515")),
    Area("Yaba", Decimal("6.5095"), Decimal("3.3711")),
    Area("Surulere", Decimal("6.4926"), Decimal("3.3490")),
    Area("Victoria Island", Decimal("6.4281"), Decimal("3.4219")),
)


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """What is sold: speed in kbit/s, price in naira a month before VAT."""

    slug: str
    name: str
    down_kbps: int
    up_kbps: int
    price: Decimal
    old_price: Decimal
    weight: int
    business: bool = False


PLANS = (
    PlanFacts("home-10", "Home 10", 10_000, 5_000, Decimal(12_500), Decimal(11_500), 5),
    PlanFacts("home-25", "Home 25", 25_000, 10_000, Decimal(18_500), Decimal(17_000), 4),
    PlanFacts("home-50", "Home 50", 50_000, 20_000, Decimal(28_000), Decimal(26_500), 2),
    PlanFacts(
        "business-100", "Business 100", 100_000, 100_000, Decimal(95_000), Decimal(90_000), 1, business=True,
    ),
)  # fmt: skip
