"""Categories of equipment: the *socle numérique de base*, the packs of a school and the kits of the programme.

Source: annexe of the *appel à projets socle numérique dans les écoles élémentaires* (2021) and the programme's own kits.
A new category is one more line here: contracts, indicators and pages follow.
"""

from __future__ import annotations

from dataclasses import dataclass

from essaim.engines.intake.contract import Code


@dataclass(frozen=True, slots=True)
class Category:
    """One category. ``base_of`` is ``classroom`` or ``school`` when the *socle de base* asks for it there;
    ``products`` are names of what is sold and is always of this category;
    ``alternative`` names the group of categories any one of which will do; ``terminal`` marks what counts as a device
    for a pupil or a teacher."""

    code: str
    label: str
    aliases: tuple[str, ...]
    base_of: str | None = None
    alternative: str | None = None
    terminal: bool = False
    products: tuple[str, ...] = ()


def _sold(**lines: str) -> tuple[str, ...]:
    """Product lines that are always of one category, by maker: each is met with its maker's name and without. A line that holds
    laptops and desktops, or tablets and laptops (Pavilion, Precision, Surface, Yoga), is in none."""
    return tuple(text for maker, names in lines.items() for name in names.split(", ") for text in (name, f"{maker.replace('_', ' ')} {name}"))


LAPTOPS = _sold(
    hp="probook, elitebook, zbook, hp stream, dragonfly", dell="latitude", lenovo="thinkpad, thinkbook, ideapad", apple="macbook, macbook air, macbook pro",
    acer="travelmate, swift, chromebook", asus="expertbook, vivobook, zenbook, chromebook", toshiba="tecra, portege, satellite pro", dynabook="tecra, portege, satellite pro",
    fujitsu="lifebook", samsung="galaxy book, chromebook", microsoft="surface laptop", huawei="matebook",
)  # fmt: skip
DESKTOPS = _sold(
    hp="prodesk, elitedesk, eliteone, proone", dell="optiplex", lenovo="thinkcentre, thinkstation", apple="imac, mac mini, mac pro", acer="veriton", fujitsu="esprimo",
    asus="expertcenter, vivopc",
)  # fmt: skip
TABLETS = _sold(
    apple="ipad, ipad air, ipad pro, ipad mini", samsung="galaxy tab", lenovo="tab m8, tab m10, tab p11", huawei="mediapad, matepad", amazon="fire hd", xiaomi="redmi pad",
    asus="zenpad", acer="iconia tab",
)  # fmt: skip
PANELS = _sold(promethean="activpanel, activboard", smart="smart board", speechi="speechitouch", clevertouch="impact plus, impact max", newline="trutouch", samsung="flip pro")
PROJECTORS = _sold(epson="powerlite, eb 685wi, eb 695wi, eb 725wi, eb 735fi")
ROBOTS = _sold(mobsya="thymio", tts="bee bot, blue bot", ozobot="ozobot evo, ozobot bit", sphero="sphero bolt", makeblock="mbot, mbot2", lego="spike prime, spike essentiel, mindstorms")


CATEGORIES: tuple[Category, ...] = (
    Category(
        "videoprojecteur",
        "Vidéoprojecteur fixe",
        ("vidéo-projecteur", "vidéo projecteur", "vp", "projecteur", "videoproj", "vidéoprojecteur courte focale", "VP focale ultra courte", "vidéoprojecteurs", "vidéoprojecteur interactif", "VPI", "vidéoprojecteurs interactifs"),
        base_of="classroom",
        alternative="affichage",
        products=PROJECTORS,
    ),
    Category(
        "ecran_interactif",
        "Écran numérique interactif",
        ("ENI", "écran interactif", "écrans interactifs", "écran tactile", "TNI", "TBI", "tableau numérique interactif", "tableau blanc interactif", "ENI 75", "ENI 86", "écran numérique interactif mobile", "afficheur interactif"),
        base_of="classroom",
        alternative="affichage",
        products=PANELS,
    ),
    Category(
        "ordinateur_portable",
        "Ordinateur portable",
        ("PC portable", "portable", "laptop", "notebook", "ordi portable", "ordinateurs portables", "PC portables", "PC port", "micro portable", "pc portable enseignant", "ordinateur portable enseignant", "chromebook", "ultraportable"),
        base_of="classroom",
        alternative="ordinateur",
        terminal=True,
        products=LAPTOPS,
    ),
    Category(
        "ordinateur_fixe",
        "Ordinateur fixe",
        ("PC fixe", "unité centrale", "poste fixe", "ordinateur de bureau", "PC", "ordinateur", "poste de travail", "ordinateurs fixes", "tour", "mini tour", "all in one", "tout en un", "desktop", "mini PC", "UC"),
        terminal=True,
        products=DESKTOPS,
    ),
    Category(
        "tablette",
        "Tablette",
        ("tablettes", "tablet", "tablette tactile", "iPad", "tablette Android", "tablette numérique", "tab", "tablettes élèves"),
        terminal=True,
        products=TABLETS,
    ),
    Category(
        "ordinateur_direction",
        "Ordinateur portable de direction",
        ("PC direction", "portable direction", "portable directeur", "ordinateur directeur", "ordinateur portable directeur", "PC portable direction", "poste direction"),
        base_of="school",
        alternative="direction",
    ),
    Category(
        "classe_mobile",
        "Classe mobile (chariot ou valise)",
        ("valise", "chariot", "classe mobile", "chariot tablettes", "valise tablettes", "valise mobile", "armoire de recharge", "pack tablettes", "pack PC"),
        base_of="school",
        alternative="pack",
    ),
    Category(
        "capture_image",
        "Capture d'image (webcam, caméra)",
        ("webcam", "caméra", "appareil photo", "captation", "caméra de classe", "capture image", "capteur d'image", "cam"),
        base_of="classroom",
        alternative="capture",
    ),
    Category(
        "visualiseur",
        "Visualiseur",
        ("visualiser", "visualiseurs", "caméra de table", "document camera", "visio-présentateur"),
    ),
    Category(
        "micro",
        "Microphone",
        ("microphone", "micros", "micro-cravate", "micro sans fil", "micro casque"),
        base_of="classroom",
        alternative="micro",
    ),
    Category(
        "enceintes",
        "Haut-parleurs",
        ("haut-parleur", "enceinte", "hauts-parleurs", "système audio", "barre de son", "HP", "haut parleurs", "enceintes audio"),
        base_of="classroom",
        alternative="son",
    ),
    Category(
        "imprimante_reseau",
        "Imprimante réseau",
        ("imprimante", "copieur", "multifonction", "photocopieur", "imprimante multifonction", "MFP"),
        base_of="school",
        alternative="imprimante",
    ),
    Category(
        "acces_internet",
        "Accès à internet de la classe (borne, prise, câblage)",
        ("borne wifi", "wifi", "wi-fi", "point d'accès", "AP", "câblage", "prise réseau", "réseau", "switch", "routeur", "internet", "commutateur"),
        base_of="classroom",
        alternative="internet",
    ),
    Category(
        "kit_hybridation",
        "Kit d'hybridation",
        ("kit hybride", "hybridation", "kit visio", "kit classe hybride", "équipement hybridation", "kit hybridation pédagogique", "kit de captation", "visioconférence"),
    ),
    Category(
        "robot",
        "Robot pédagogique",
        ("robots", "robotique", "kit robotique", "bee-bot", "thymio", "blue-bot", "robot éducatif", "codage"),
        products=ROBOTS,
    ),
    Category(
        "casque",
        "Casque audio",
        ("casques", "écouteurs", "casque-micro", "casques audio"),
    ),
    Category(
        "baladodiffusion",
        "Mallette de baladodiffusion",
        ("MP3", "lecteur MP3", "baladeur", "studio radio", "webradio", "mallette radio"),
    ),
    Category(
        "autre",
        "Autre matériel",
        ("divers", "accessoire", "accessoires", "autres", "logiciel", "licence", "prestation", "installation", "maintenance"),
    ),
)

CATEGORY_CODES: tuple[Code, ...] = tuple(Code(item.code, item.label, item.aliases, item.products) for item in CATEGORIES)
TERMINALS: tuple[str, ...] = tuple(item.code for item in CATEGORIES if item.terminal)


def base_alternatives(place: str) -> dict[str, tuple[str, ...]]:
    """What the *socle de base* asks for in a ``classroom`` or a ``school``: need → categories any one of which meets it.

    A laptop cart holds what it carries, so a ``pack`` need is also met by tablets or desktops counted by the school.
    """
    needs: dict[str, tuple[str, ...]] = {}
    for item in CATEGORIES:
        if item.base_of == place and item.alternative:
            needs[item.alternative] = (*needs.get(item.alternative, ()), item.code)
    return needs
