"""Départements, regions and académies as declared data. Sources: INSEE (COG 2026), ministry of education (BCN, zones)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Academie:
    """An education authority. ``zone`` is its school-holiday zone (A, B, C), None where it keeps its own calendar;
    ``is_assimilated``: a service overseas that the national directory of schools files as an académie."""

    code: str
    name: str
    zone: str | None
    is_assimilated: bool = False

    @property
    def title(self) -> str:
        """« Académie Amiens », « Polynésie française (assimilée à une académie) »."""
        return f"{self.name} (assimilée à une académie)" if self.is_assimilated else f"Académie {self.name}"


@dataclass(frozen=True, slots=True)
class Departement:
    """A département or overseas territory, and its académie in the national directory of schools."""

    code: str
    name: str
    region: str
    academie: str


# code, name, holiday zone
ACADEMIES: tuple[Academie, ...] = (
    Academie("01", "Paris", "C"),
    Academie("02", "Aix-Marseille", "B"),
    Academie("03", "Besançon", "A"),
    Academie("04", "Bordeaux", "A"),
    Academie("06", "Clermont-Ferrand", "A"),
    Academie("07", "Dijon", "A"),
    Academie("08", "Grenoble", "A"),
    Academie("09", "Lille", "B"),
    Academie("10", "Lyon", "A"),
    Academie("11", "Montpellier", "C"),
    Academie("12", "Nancy-Metz", "B"),
    Academie("13", "Poitiers", "A"),
    Academie("14", "Rennes", "B"),
    Academie("15", "Strasbourg", "B"),
    Academie("16", "Toulouse", "C"),
    Academie("17", "Nantes", "B"),
    Academie("18", "Orléans-Tours", "B"),
    Academie("19", "Reims", "B"),
    Academie("20", "Amiens", "B"),
    Academie("22", "Limoges", "A"),
    Academie("23", "Nice", "B"),
    Academie("24", "Créteil", "C"),
    Academie("25", "Versailles", "C"),
    Academie("27", "Corse", None),
    Academie("28", "La Réunion", None),
    Academie("31", "Martinique", None),
    Academie("32", "Guadeloupe", None),
    Academie("33", "Guyane", None),
    Academie("40", "Nouvelle-Calédonie", None, True),
    Academie("41", "Polynésie française", None, True),
    Academie("42", "Wallis et Futuna", None, True),
    Academie("43", "Mayotte", None),
    Academie("44", "Saint-Pierre-et-Miquelon", None, True),
    Academie("70", "Normandie", "B"),
)
# Collectivities overseas that are neither département nor region: no DSDEN, no région académique. The directory of schools files those
# that have a service of their own under one heading instead of a region.
COLLECTIVITIES = ("975", "977", "978", "986", "987", "988")
BEYOND_REGIONS = ("00", "TOM et collectivités territoriales")

REGIONS: dict[str, str] = {
    "01": "Guadeloupe",
    "02": "Martinique",
    "03": "Guyane",
    "04": "La Réunion",
    "06": "Mayotte",
    "11": "Île-de-France",
    "24": "Centre-Val de Loire",
    "27": "Bourgogne-Franche-Comté",
    "28": "Normandie",
    "32": "Hauts-de-France",
    "44": "Grand Est",
    "52": "Pays de la Loire",
    "53": "Bretagne",
    "75": "Nouvelle-Aquitaine",
    "76": "Occitanie",
    "84": "Auvergne-Rhône-Alpes",
    "93": "Provence-Alpes-Côte d'Azur",
    "94": "Corse",
    "975": "Saint-Pierre-et-Miquelon",
    "977": "Saint-Barthélemy",
    "978": "Saint-Martin",
    "984": "Terres australes et antarctiques françaises",
    "986": "Wallis et Futuna",
    "987": "Polynésie française",
    "988": "Nouvelle-Calédonie",
    "989": "Île de Clipperton",
}

# code, name, region, académie
DEPARTEMENTS: tuple[Departement, ...] = (
    Departement("01", "Ain", "84", "10"),
    Departement("02", "Aisne", "32", "20"),
    Departement("03", "Allier", "84", "06"),
    Departement("04", "Alpes-de-Haute-Provence", "93", "02"),
    Departement("05", "Hautes-Alpes", "93", "02"),
    Departement("06", "Alpes-Maritimes", "93", "23"),
    Departement("07", "Ardèche", "84", "08"),
    Departement("08", "Ardennes", "44", "19"),
    Departement("09", "Ariège", "76", "16"),
    Departement("10", "Aube", "44", "19"),
    Departement("11", "Aude", "76", "11"),
    Departement("12", "Aveyron", "76", "16"),
    Departement("13", "Bouches-du-Rhône", "93", "02"),
    Departement("14", "Calvados", "28", "70"),
    Departement("15", "Cantal", "84", "06"),
    Departement("16", "Charente", "75", "13"),
    Departement("17", "Charente-Maritime", "75", "13"),
    Departement("18", "Cher", "24", "18"),
    Departement("19", "Corrèze", "75", "22"),
    Departement("21", "Côte-d'Or", "27", "07"),
    Departement("22", "Côtes-d'Armor", "53", "14"),
    Departement("23", "Creuse", "75", "22"),
    Departement("24", "Dordogne", "75", "04"),
    Departement("25", "Doubs", "27", "03"),
    Departement("26", "Drôme", "84", "08"),
    Departement("27", "Eure", "28", "70"),
    Departement("28", "Eure-et-Loir", "24", "18"),
    Departement("29", "Finistère", "53", "14"),
    Departement("2A", "Corse-du-Sud", "94", "27"),
    Departement("2B", "Haute-Corse", "94", "27"),
    Departement("30", "Gard", "76", "11"),
    Departement("31", "Haute-Garonne", "76", "16"),
    Departement("32", "Gers", "76", "16"),
    Departement("33", "Gironde", "75", "04"),
    Departement("34", "Hérault", "76", "11"),
    Departement("35", "Ille-et-Vilaine", "53", "14"),
    Departement("36", "Indre", "24", "18"),
    Departement("37", "Indre-et-Loire", "24", "18"),
    Departement("38", "Isère", "84", "08"),
    Departement("39", "Jura", "27", "03"),
    Departement("40", "Landes", "75", "04"),
    Departement("41", "Loir-et-Cher", "24", "18"),
    Departement("42", "Loire", "84", "10"),
    Departement("43", "Haute-Loire", "84", "06"),
    Departement("44", "Loire-Atlantique", "52", "17"),
    Departement("45", "Loiret", "24", "18"),
    Departement("46", "Lot", "76", "16"),
    Departement("47", "Lot-et-Garonne", "75", "04"),
    Departement("48", "Lozère", "76", "11"),
    Departement("49", "Maine-et-Loire", "52", "17"),
    Departement("50", "Manche", "28", "70"),
    Departement("51", "Marne", "44", "19"),
    Departement("52", "Haute-Marne", "44", "19"),
    Departement("53", "Mayenne", "52", "17"),
    Departement("54", "Meurthe-et-Moselle", "44", "12"),
    Departement("55", "Meuse", "44", "12"),
    Departement("56", "Morbihan", "53", "14"),
    Departement("57", "Moselle", "44", "12"),
    Departement("58", "Nièvre", "27", "07"),
    Departement("59", "Nord", "32", "09"),
    Departement("60", "Oise", "32", "20"),
    Departement("61", "Orne", "28", "70"),
    Departement("62", "Pas-de-Calais", "32", "09"),
    Departement("63", "Puy-de-Dôme", "84", "06"),
    Departement("64", "Pyrénées-Atlantiques", "75", "04"),
    Departement("65", "Hautes-Pyrénées", "76", "16"),
    Departement("66", "Pyrénées-Orientales", "76", "11"),
    Departement("67", "Bas-Rhin", "44", "15"),
    Departement("68", "Haut-Rhin", "44", "15"),
    Departement("69", "Rhône", "84", "10"),
    Departement("70", "Haute-Saône", "27", "03"),
    Departement("71", "Saône-et-Loire", "27", "07"),
    Departement("72", "Sarthe", "52", "17"),
    Departement("73", "Savoie", "84", "08"),
    Departement("74", "Haute-Savoie", "84", "08"),
    Departement("75", "Paris", "11", "01"),
    Departement("76", "Seine-Maritime", "28", "70"),
    Departement("77", "Seine-et-Marne", "11", "24"),
    Departement("78", "Yvelines", "11", "25"),
    Departement("79", "Deux-Sèvres", "75", "13"),
    Departement("80", "Somme", "32", "20"),
    Departement("81", "Tarn", "76", "16"),
    Departement("82", "Tarn-et-Garonne", "76", "16"),
    Departement("83", "Var", "93", "23"),
    Departement("84", "Vaucluse", "93", "02"),
    Departement("85", "Vendée", "52", "17"),
    Departement("86", "Vienne", "75", "13"),
    Departement("87", "Haute-Vienne", "75", "22"),
    Departement("88", "Vosges", "44", "12"),
    Departement("89", "Yonne", "27", "07"),
    Departement("90", "Territoire de Belfort", "27", "03"),
    Departement("91", "Essonne", "11", "25"),
    Departement("92", "Hauts-de-Seine", "11", "25"),
    Departement("93", "Seine-Saint-Denis", "11", "24"),
    Departement("94", "Val-de-Marne", "11", "24"),
    Departement("95", "Val-d'Oise", "11", "25"),
    Departement("971", "Guadeloupe", "01", "32"),
    Departement("972", "Martinique", "02", "31"),
    Departement("973", "Guyane", "03", "33"),
    Departement("974", "La Réunion", "04", "28"),
    Departement("976", "Mayotte", "06", "43"),
    Departement("975", "Saint-Pierre-et-Miquelon", "975", "44"),
    Departement("977", "Saint-Barthélemy", "977", "32"),
    Departement("978", "Saint-Martin", "978", "32"),
    Departement("986", "Wallis et Futuna", "986", "42"),
    Departement("987", "Polynésie française", "987", "41"),
    Departement("988", "Nouvelle-Calédonie", "988", "40"),
)
