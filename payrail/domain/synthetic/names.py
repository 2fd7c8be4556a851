"""Names for very many customers: a given name, and a family name of two words.

Family names are put together from words for woods, winds, waters and stones; a likeness to a real
person is chance. Three thousand names to a country.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Folk:
    """A country's people. `weight`: their share of the customers."""

    country: str
    currency: str
    weight: int
    given: tuple[str, ...]
    heads: tuple[str, ...]
    tails: tuple[str, ...]


def _folk(country: str, currency: str, weight: int, given: str, heads: str, tails: str) -> Folk:
    words = (tuple(text.split()) for text in (given, heads, tails))
    return Folk(country, currency, weight, *words)


FOLK = (
    _folk(
        *("US", "USD", 28),
        "Ada Wade June Cole Ivy Reed Nell Dean Opal Ross Faye Glen Tess Beau Wren Hank",
        "Brook Marsh Stone Fern Alder Cedar River Cloud Hazel Maple Dawn Flint Heron Juniper",
        "fen light wren hollow run ledge shade field drift bend moss water gale crest",
    ),
    _folk(
        *("GB", "GBP", 12),
        "Elsie Rhys Maud Alfie Bryn Edith Gwen Hugh Isobel Jago Keir Lorna Morag Nia Owen Tamsin",
        "Fen Hart Pebble Thorn Moor Gorse Tarn Beck Rook Linnet Holly Barrow Heath Sedge",
        "willow hollow wick mere dell croft brae combe shaw thwaite holt lea garth ness",
    ),
    _folk(
        *("DE", "EUR", 9),
        "Lena Jörg Ute Falk Heike Jens Katja Lutz Maren Nils Petra Rolf Silke Timo Wiebke Anke",
        "Birken Kranich Nebel Eichen Linden Moos Reiher Silber Tannen Wald Wiesen Amsel Bach Fels",
        "fall see tau grund hain licht quell rain ried steig tal wind wipfel ufer",
    ),
    _folk(
        *("FR", "EUR", 8),
        "Chloé Rémi Odile Bastien Clémence Denis Élise Fabien Gaëlle Hugo Inès Joël Line Maël"
        " Noémie Yves",
        "Bois Vent Lune Source Roche Pluie Brume Chêne Étang Feuille Neige Pierre Rive Saule",
        "clairet doux vive blanche mousse douce grise fleur chant lac nord vallon ombre belle",
    ),
    _folk(
        *("ES", "EUR", 5),
        "Inés Mateo Nuria Álvaro Bruna Ciro Elvira Fermín Gala Hugo Irene Jaime Lidia Óscar"
        " Rocío Tomás",
        "Rio Monte Piedra Brisa Valle Lluvia Olmo Pino Niebla Roca Fuente Arena Encina Sauce",
        "clarín soleo brisa verde luna nieve alto claro viento dorado sombra flor mar grís",
    ),
    _folk(
        *("IT", "EUR", 5),
        "Giada Nico Elia Bianca Carlo Dalia Enzo Flavia Gino Ilaria Livio Mara Nevio Orsola Pia"
        " Rocco",
        "Pietr Vento Bosco Monte Fonte Neve Olmo Pino Riva Sasso Selva Stella Valle Nebbia",
        "ombra luna rivo chiaro mare sole verde bianca alta fiore lago notte gelo brina",
    ),
    _folk(
        *("NL", "EUR", 8),
        "Fenna Joris Sanne Bas Cato Daan Eva Floor Gijs Hanna Ivo Jet Koen Lotte Mees Noor",
        "Water Duin Wind Beuken Eiken Heide Kiezel Meer Nevel Polder Riet Sneeuw Veen Zilver",
        "lelie roosje meer blad bries dal grond hof kreek licht mos rand stroom veld",
    ),
    _folk(
        *("SE", "EUR", 4),
        "Elsa Nils Tuva Alva Bo Disa Edvin Frida Gösta Hilma Ivar Kaj Lova Majken Olle Stina",
        "Björk Snö Sjö Berg Dimm Eke Fors Granit Hav Is Ljung Mån Regn Vind",
        "dröm klippa måne backe dal fjäll gren hed lund mark skog strand vik ö",
    ),
    _folk(
        *("PL", "EUR", 4),
        "Zofia Piotr Hania Adam Basia Cezary Daria Emil Gaja Igor Jagna Kuba Lena Marek Nina Olga",
        "Brzozo Leśno Rzeko Wiatro Śnieżno Kamieno Jodło Mgło Polno Sosno Górno Trawo Wodno Złoto",
        "wiatr rosa dąb brzeg cień dół gaj kwiat las mech potok staw świt wzgórz",
    ),
    _folk(
        *("CA", "CAD", 6),
        "Noor Blair Mireille Avery Benoit Corin Desta Elodie Finn Greer Hollis Imani Jules Kai"
        " Lise Marlo",
        "Maple Lac Spruce Frost Loon Tundra Birch Cove Elk Glacier Harbour Larch Prairie Raven",
        "drift brume fir bay brook creek edge fall hill isle pass ridge sound wind",
    ),
    _folk(
        *("BR", "USD", 2),
        "Iara Caio Luana Abel Beatriz Davi Estela Gil Heitor Ivo Jana Lia Moacir Nara Otto Rute",
        "Rio Pedra Vento Mata Serra Chuva Areia Campo Folha Garoa Lagoa Nuvem Orvalho Praia",
        "mansinho luz mar verde alta azul bela clara doce flor larga nova prata sol",
    ),
    _folk(
        *("JP", "JPY", 4),
        "Yuna Ren Aoi Emi Haru Itsuki Kaho Mao Nagi Rei Sora Taro Umi Wataru Yoko Chika",
        "Umi Yuki Mori Kawa Yama Tsuki Hoshi Ame Iwa Kiri Matsu Numa Sugi Tani",
        "kazeno sora hikari moto hara kage nami oka saka shima tani no mine hata",
    ),
    _folk(
        *("KW", "KWD", 2),
        "Dana Salim Rima Adel Bashir Dalal Fahad Ghada Hala Jassim Lulwa Maha Nasser Omar Reem"
        " Sami",
        "Bahr Raml Nakhl Qamar Rih Shams Matar Jabal Wadi Najm Zahr Ghaym Sahra Nahr",
        "nasim noor qamar salam zahi safi rabi saher azraq dhahab fajr layl sakin wasim",
    ),
    _folk(
        *("IN", "USD", 2),
        "Asha Ravi Meera Arun Bina Deepa Esha Gopal Hari Isha Jaya Kiran Lata Mohan Nila Usha",
        "Chandra Nadi Surya Megha Vana Giri Jala Kamala Neela Parva Sagar Tara Usha Varsha",
        "van pavan tal dhara kiran kul mala nath pur priya rekha sar teja vati",
    ),
    _folk(
        *("AU", "AUD", 3),
        "Tess Flynn Isla Banjo Coral Dale Edie Gus Heath Indie Jed Kirra Lachie Marley Nell Roy",
        "Gum Reef Dusty Wattle Coral Dune Ember Gully Kelp Mallee Opal Paper Salt Sunder",
        "ridgeway hollow wren bark bay brook down flat grove lea plain point reach tide",
    ),
    _folk(
        *("ZA", "USD", 2),
        "Thandi Pieter Naledi Anele Bongi Deon Elna Fanie Gugu Hein Johan Karabo Lindiwe Mpho"
        " Nandi Sipho",
        "Veld Berg Wind Doring Fyn Goud Karoo Klip Mis Reën Sand Son Ster Vlei",
        "sterre mis rivier bos dal fontein gras hoek kloof land meer rant skadu wolk",
    ),
)
