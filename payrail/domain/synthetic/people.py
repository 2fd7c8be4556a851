"""Who sells and who buys: the demo merchants, and customers from many countries.

Family names are made of words for woods, winds and waters; a likeness to a real person is chance.
"""

import unicodedata
from dataclasses import dataclass

from payrail.domain.synthetic.draws import Draws


@dataclass(frozen=True, slots=True)
class Merchant:
    id: str
    name: str
    mcc: str  # merchant category code, ISO 18245
    country: str


@dataclass(frozen=True, slots=True)
class Customer:
    id: str
    name: str
    email: str
    ip: str
    country: str


#: The merchants of `up --demo`, as the access book has them.
MERCHANTS = (
    Merchant("m_001", "Kite & Keel Books", "5942", "US"),
    Merchant("m_002", "Harbour Bicycles", "5940", "NL"),
)

# (country, given names, family names)
_FOLK = (
    ("US", ("Ada", "Wade", "June"), ("Brookfen", "Marshlight", "Stonewren")),
    ("GB", ("Elsie", "Rhys", "Maud"), ("Fenwillow", "Harthollow", "Pebblewick")),
    ("DE", ("Lena", "Jörg", "Ute"), ("Birkenfall", "Kranichsee", "Nebeltau")),
    ("FR", ("Chloé", "Rémi", "Odile"), ("Boisclairet", "Ventdoux", "Lunesource")),
    ("ES", ("Inés", "Mateo", "Nuria"), ("Rioclarín", "Montesoleo", "Piedrabrisa")),
    ("IT", ("Giada", "Nico", "Elia"), ("Pietrombra", "Ventoluna", "Boscorivo")),
    ("NL", ("Fenna", "Joris", "Sanne"), ("Waterlelie", "Duinroosje", "Windmeer")),
    ("SE", ("Elsa", "Nils", "Tuva"), ("Björkdröm", "Snöklippa", "Sjömåne")),
    ("PL", ("Zofia", "Piotr", "Hania"), ("Brzozowiatr", "Leśnorosa", "Rzekodąb")),
    ("CA", ("Noor", "Blair", "Mireille"), ("Mapledrift", "Lacbrume", "Northfir")),
    ("BR", ("Iara", "Caio", "Luana"), ("Riomansinho", "Pedraluz", "Ventomar")),
    ("JP", ("Yuna", "Ren", "Aoi"), ("Umikazeno", "Yukisora", "Morihikari")),
    ("KW", ("Dana", "Salim", "Rima"), ("Bahrnasim", "Ramlnoor", "Nakhlqamar")),
    ("IN", ("Asha", "Ravi", "Meera"), ("Chandravan", "Nadipavan", "Suryatal")),
    ("AU", ("Tess", "Flynn", "Isla"), ("Gumridgeway", "Reefhollow", "Dustywren")),
    ("ZA", ("Thandi", "Pieter", "Naledi"), ("Veldsterre", "Bergmis", "Windrivier")),
)
_MAIL_DOMAINS = ("example.com", "example.org", "post.test")
_NETWORKS = ("192.0.2", "198.51.100", "203.0.113")
#: Of so many customers one comes from an IPv6 address.
_IPV6_EVERY = 5


def customer(draws: Draws, number: int) -> Customer:
    """Customer `number` of a world; the number keeps mail addresses apart."""
    country, given, family = draws.one_of(_FOLK)
    name = f"{draws.one_of(given)} {draws.one_of(family)}"
    return named(draws, number, name, country)


def named(draws: Draws, number: int, name: str, country: str, ip: str = "") -> Customer:
    """Somebody of that name, with an address of their own if none is given."""
    return Customer(
        id=f"cus_{number:03d}",
        name=name,
        email=f"{_mailbox(name)}.{number}@{draws.one_of(_MAIL_DOMAINS)}",
        ip=ip or _address(draws),
        country=country,
    )


def documentation_ip(draws: Draws, number: int) -> str:
    """An address for documentation: for every other one a place of its own in the IPv6 network, for
    the rest one of the few of IPv4, which many share."""
    if draws.below(2):
        return f"2001:db8:{number >> 16:x}:{number & 0xFFFF:x}::{1 + draws.below(0xFFFF):x}"
    return f"{draws.one_of(_NETWORKS)}.{1 + draws.below(254)}"


def _mailbox(name: str) -> str:
    """The name in the letters that every mail server takes."""
    plain = unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()
    return plain.replace(" ", ".")


def _address(draws: Draws) -> str:
    if draws.below(_IPV6_EVERY) == 0:
        return f"2001:db8::{1 + draws.below(0xFFFF):x}"
    return f"{draws.one_of(_NETWORKS)}.{1 + draws.below(254)}"
