"""The files of the equipment lever: orders, deliveries, acknowledgements, inventories, disposals, public contracts."""

from __future__ import annotations

from dataclasses import replace

from essaim.engines.intake.contract import (
    AnyOf,
    Code,
    Contract,
    Field,
    FieldType,
    InOrder,
    Listing,
    Plausible,
    ProductEquals,
    Severity,
    Wide,
)
from essaim.equipment.categories import CATEGORY_CODES
from essaim.territories.school_fields import COMMENT, COMMUNE_NAME, SCHOOL_NAME, SCHOOL_UAI

CONDITIONS = (
    Code("neuf", "Neuf", ("new", "n", "neufs", "neuve", "matériel neuf")),
    Code(
        "reconditionne",
        "Reconditionné",
        ("reconditionnée", "recond", "recond.", "occasion", "seconde main", "réemploi", "refurbished", "r", "reconditionnés"),
    ),
)
FUNDINGS = (
    Code("tne", "Programme Territoires numériques éducatifs", ("TNE", "PIA", "PIA 4", "PIA3", "France 2030", "convention TNE")),
    Code("plan_relance", "Plan de relance (socle numérique)", ("SNEE", "relance", "AAP", "socle numérique", "plan de relance")),
    Code("collectivite", "Budget de la collectivité", ("commune", "fonds propres", "budget communal", "département", "autofinancement", "collectivité")),
    Code("etat", "Autre crédit de l'État", ("État", "DETR", "DSIL", "rectorat", "académie", "direct état")),
    Code("europe", "Fonds européens", ("FEDER", "UE", "europe")),
    Code("autre", "Autre financement", ("divers", "don", "mécénat", "APE")),
)
DESTINATIONS = (
    Code("reemploi", "Réemploi ou réutilisation", ("réemploi", "don", "don association", "réutilisation", "cession gratuite", "reconditionnement", "ESS", "association")),
    Code("vente", "Vente", ("vente", "cession", "enchères", "webenchères", "agorastore", "vendu")),
    Code("recyclage", "Recyclage (filière DEEE)", ("recyclage", "DEEE", "D3E", "Ecologic", "ecosystem", "déchetterie", "déchèterie")),
    Code("perte", "Perte, vol ou casse", ("vol", "volé", "perdu", "casse", "cassé", "HS", "perte", "détruit")),
)


CATEGORY = Field(
    "category",
    "Catégorie",
    FieldType.CODE,
    "Catégorie de matériel (socle de base et kits).",
    required=True,
    synonyms=(
        "catégorie", "type", "type de matériel", "matériel", "équipement", "type d'équipement", "nature", "famille", "article",
        "nature du matériel", "type matériel", "équipements", "catégorie d'équipement", "désignation", "libellé article", "produit",
        "item", "type de produit", "mat", "désignation du matériel", "libellé",
    ),
    codes=CATEGORY_CODES,
    examples=("ordinateur_portable", "Tablette"),
)
MODEL = Field(
    "model",
    "Modèle",
    FieldType.TEXT,
    "Marque et modèle.",
    synonyms=("modèle", "référence", "marque", "réf article", "marque et modèle", "référence produit", "marque / modèle", "modele"),
)
ORDER_REF = Field(
    "order_ref",
    "N° de commande",
    FieldType.TEXT,
    "Numéro du bon de commande chez l'acheteur.",
    synonyms=(
        "numéro de commande", "n° commande", "bon de commande", "BC", "n° BC", "commande", "réf commande", "n° bon de commande",
        "référence commande", "num commande", "n° cde", "cde", "engagement", "n° d'engagement", "numero_commande",
    ),
    examples=("BC-2022-0145",),
)
BUYER = Field(
    "buyer_siren",
    "SIREN de l'acheteur",
    FieldType.SIREN,
    "Collectivité ou organisme qui achète.",
    synonyms=("SIREN", "SIREN acheteur", "SIREN collectivité", "acheteur", "SIRET acheteur", "siren_acheteur", "SIRET", "SIREN de la collectivité", "n° SIREN"),
    reference="organisation",
    reference_severity=Severity.NOTICE,
)
CONDITION = Field(
    "condition",
    "Neuf ou reconditionné",
    FieldType.CODE,
    "État du matériel acheté (décret n° 2024-134).",
    synonyms=("état", "neuf/reconditionné", "neuf ou reconditionné", "reconditionné", "condition", "état du matériel", "neuf / occasion", "origine"),
    codes=CONDITIONS,
)

def _quantity(name: str, label: str, *synonyms: str, required: bool = True, minimum: float = 0) -> Field:
    return Field(name, label, FieldType.INTEGER, required=required, synonyms=synonyms, minimum=minimum, maximum=100_000, unit="unités")


def _date(name: str, label: str, *synonyms: str, required: bool = False, past: bool = False) -> Field:
    return Field(name, label, FieldType.DATE, required=required, past=past, synonyms=synonyms, minimum="2000-01-01", maximum="2040-12-31")


def _money(name: str, label: str, *synonyms: str) -> Field:
    return Field(name, label, FieldType.MONEY, synonyms=synonyms, unit="€ HT", minimum=0, maximum=1e9)


# One column a category, or one column a school.
WIDE = (Wide("category", "quantity"), Wide("uai", "quantity"))
# What a column of status says of a row that did not happen.
GIVEN_BACK = ("retour", "retours", "reprise", "avoir", "remboursement", "note de credit", "annulation partielle")
CANCELLED = ("annule", "annulee", "annules", "annulees", "annulation", "refuse", "refusee", "rejete", "rejetee", "abandonne", "abandonnee")
AWAITED = (
    "non livre", "non livree", "non livres", "non livrees", "pas livre", "pas livree", "a livrer", "en attente", "en cours", "commande", "commandee", "planifie",
    "planifiee", "prevu", "prevue", "reporte", "reportee", "retourne", "retournee", "en preparation", "expedie", "expediee", "non recu", "non recue",
)  # fmt: skip
# What takes the place of a device already delivered, or is given back: nothing more in the school. « Prêt » alone may be « ready ».
EXCHANGED = ("echange", "echanges", "sav", "remplacement sav", "en pret", "pret temporaire", "pret de materiel", "materiel de pret")
PARTLY = ("partiel", "partielle", "partiellement", "livraison partielle", "reception partielle", "incomplet", "incomplete", "reliquat")
# Words that name what a table tells of: a title or a sheet that has only those of another file is asked about.
NAMES_ORDERS = ("commande", "commandes", "cde", "cdes", "achat", "achats", "devis")
NAMES_DELIVERIES = ("livraison", "livraisons", "bl")
NAMES_INVENTORY = ("inventaire", "inventaires", "stock", "stocks", "parc")
NAMES_DISPOSALS = ("reforme", "reformes", "sortie", "sorties", "rebut", "rebuts", "cession", "cessions", "deee", "d3e")
NAMES_WISHES = ("besoin", "besoins", "prevision", "previsions", "previsionnel", "previsionnelle", "demande", "demandes", "souhait", "souhaits", "projection", "projections")
GONE = ("sorti", "sortie", "reforme", "reformee", "vole", "volee", "perdu", "perdue", "restitue", "restituee", "detruit", "detruite")
# Exports of asset management, one line a device.
PLACES = ("entité", "entité / lieu", "lieu", "localisation", "emplacement", "site", "lieu d'affectation", "implantation", "affectation", "location", "entity", "groupe")
LISTING = Listing(
    "quantity",
    ("appareil", "appareils"),
    serials=(
        "numéro de série", "n° de série", "n° série", "num série", "num de série", "numéro série", "no série", "série", "S/N", "SN", "NS", "N/S", "serial", "serial number", "n° de série constructeur",
        "service tag", "numéros de série", "n° de séries", "serial numbers", "numéro de série constructeur", "IMEI", "SSN", "serial no",
    ),
    tags=(
        "numéro d'inventaire", "n° d'inventaire", "n° inventaire", "num inventaire", "no inventaire", "code inventaire", "référence inventaire", "réf inventaire", "inventaire", "étiquette",
        "étiquette inventaire", "n° étiquette", "numéro d'étiquette", "asset tag", "tag", "code barre", "code-barres", "code à barres", "n° immobilisation", "numéro d'immobilisation", "n° immo",
        "n° d'immobilisation", "otherserial", "identifiant matériel", "n° de parc", "numéro de parc",
    ),
    names=(
        "nom", "name", "nom de l'ordinateur", "nom du poste", "nom ordinateur", "nom machine", "nom de la machine", "hostname", "nom d'hôte", "nom netbios", "nom réseau", "computer name", "nom du matériel",
        "nom de l'équipement", "nom de l'appareil", "libellé",
    ),
    left_out=("comment",),
    kind="category",
    models=("modèle", "modele", "model", "marque et modèle", "marque / modèle", "désignation du modèle", "référence constructeur", "product", "produit"),
    vague=("ordinateur", "pc", "poste de travail", "poste", "computer", "matériel informatique", "informatique", "terminal", "équipement", "matériel", "uc", "mobile", "autre", "autres", "divers"),
    place="school_name",
    places=PLACES,
)  # fmt: skip
IN_USE = ("en service", "en usage", "utilise", "utilisee", "affecte", "affectee", "attribue", "attribuee", "deploye", "deployee", "actif", "active", "en production", "installe", "installee", "in use", "deployed")
LOANED = ("prete", "pretee", "en pret", "pret")
IDLE = (
    "en stock", "stock", "en reserve", "reserve", "disponible", "en panne", "panne", "en reparation", "reparation", "en maintenance", "maintenance", "sav", "hs", "hors service", "inactif", "inactive",
    "non utilise", "non utilisee", "inutilise", "inutilisee", "non affecte", "non affectee", "a reformer", "neuf", "livre", "recu", "a installer", "non deploye", "obsolete",
)  # fmt: skip
PURCHASED = {"purchase_year": ("date d'achat", "date achat", "acheté le", "date d'acquisition", "date acquisition", "acquis le", "purchase date")}
PER_PUPIL = Plausible(
    "quantite_invraisemblable",
    "La quantité dépasse trois appareils par élève : vérifiez le nombre ou l'établissement.",
    "quantity",
    "uai",
    "pupils",
    3.0,
    severity=Severity.WARNING,
)

ORDERS = Contract(
    "equipment.orders",
    1,
    "Commandes de matériel",
    "Une ligne par établissement et par article commandé ; les dates prévue, révisée et réelle sont trois données distinctes.",
    (
        ORDER_REF,
        Field("line", "Ligne", FieldType.TEXT, "Numéro de ligne de la commande.", synonyms=("ligne", "n° ligne", "numéro de ligne", "poste", "lot")),
        SCHOOL_UAI,
        SCHOOL_NAME,
        COMMUNE_NAME,
        CATEGORY,
        MODEL,
        _quantity("quantity", "Quantité commandée", "quantité", "qté", "qte", "nombre", "nb", "qté commandée", "quantité commandée", "nombre commandé", "nbre", "quantite", "Qté cdée", "volume", minimum=1),
        _money("unit_price_eur", "Prix unitaire HT", "PU HT", "prix unitaire", "prix unitaire HT", "PU", "prix unit.", "PU (€ HT)", "prix HT unitaire", "coût unitaire"),
        _money("total_eur", "Montant HT", "montant", "montant HT", "total HT", "total", "montant total HT", "coût total", "prix total HT", "coût HT", "dépense HT", "montant (€)"),
        BUYER,
        Field("supplier", "Fournisseur", FieldType.TEXT, synonyms=("fournisseur", "titulaire", "prestataire", "marchand", "vendeur")),
        Field("funding", "Financement", FieldType.CODE, synonyms=("financement", "source de financement", "financeur", "dispositif", "crédits", "plan de financement"), codes=FUNDINGS),
        CONDITION,
        _date("ordered_on", "Date de commande", "date commande", "date de commande", "commandé le", "cde le", "date BC", "date du bon de commande", "date d'engagement", "date cde", "commandé", past=True),
        _date("planned_on", "Livraison prévue", "date prévue", "livraison prévue", "date de livraison prévue", "date prévisionnelle", "échéance", "prévu le", "date prévisionnelle de livraison", "délai contractuel", "date contractuelle", "livraison prévisionnelle", "délai prévu", "date livraison prévue"),
        _date("revised_on", "Livraison révisée", "date révisée", "livraison révisée", "nouvelle date", "date reportée", "report", "date de livraison révisée", "révisé au", "nouvelle échéance", "reporté au"),
        _date("actual_on", "Livraison réelle", "date réelle", "livraison réelle", "livré le", "date de livraison", "date livraison", "date effective", "livraison effective", "date de livraison réelle", past=True),
        COMMENT,
    ),
    key=("sender", "order_ref", "line", "uai", "category", "model"),
    rules=(
        InOrder("livraison_avant_commande", "La livraison prévue précède la commande : l'une des deux dates est inexacte.", "ordered_on", "planned_on", severity=Severity.WARNING),
        InOrder("reception_avant_commande", "La livraison réelle précède la commande : corrigez l'une des deux dates.", "ordered_on", "actual_on"),
        ProductEquals("montant_incoherent", "Quantité × prix unitaire ne donne pas le montant indiqué.", "quantity", "unit_price_eur", "total_eur", severity=Severity.WARNING),
        PER_PUPIL,
    ),
    place="uai",
    wide=WIDE,
    undone=(*CANCELLED, *GIVEN_BACK),
    listing=LISTING,
    named=(*NAMES_ORDERS[:-1], "marche", "marches"),
    not_named=("devis", *NAMES_DELIVERIES, *NAMES_INVENTORY, *NAMES_DISPOSALS, *NAMES_WISHES),
    adds=("quantity", "total_eur"),
)

DELIVERIES = Contract(
    "equipment.deliveries",
    1,
    "Livraisons de matériel",
    "Une ligne par établissement, par article et par livraison : ce que la collectivité déclare avoir livré.",
    (
        Field("delivery_ref", "N° de livraison", FieldType.TEXT, synonyms=("bon de livraison", "BL", "n° BL", "n° de livraison", "n° bon de livraison", "réf livraison", "numéro de livraison", "référence BL")),
        ORDER_REF,
        SCHOOL_UAI,
        SCHOOL_NAME,
        COMMUNE_NAME,
        CATEGORY,
        MODEL,
        _quantity("quantity", "Quantité livrée", "quantité", "qté", "qte", "nombre", "nb", "qté livrée", "quantité livrée", "livré", "nombre livré", "nb livrés", "nbre", "quantite", "livrés", "Qté liv.", "qté reçue", "nombre d'équipements livrés"),
        _date("delivered_on", "Date de livraison", "date", "date de livraison", "date livraison", "livré le", "livrée le", "livrés le", "livrées le", "livraison", "date liv.", "date de réception", "livraison effective", "date réelle", "date BL", required=True, past=True),
        Field("configured", "Configuré à la livraison", FieldType.BOOLEAN, synonyms=("configuré", "prêt à l'emploi", "masterisé", "paramétré", "configuration", "configuré à la livraison", "enrôlé", "MDM", "configuré (o/n)", "opérationnel")),
        _date("installed_on", "Date d'installation", "date d'installation", "installé le", "mise en service", "date de mise en service", "date installation", "installation"),
        CONDITION,
        BUYER,
        COMMENT,
    ),
    key=("sender", "delivery_ref", "order_ref", "uai", "category", "model", "delivered_on"),
    rules=(
        InOrder("installation_avant_livraison", "L'installation précède la livraison : corrigez l'une des deux dates.", "delivered_on", "installed_on"),
        PER_PUPIL,
    ),
    place="uai",
    wide=(*WIDE, Wide("delivered_on", "quantity")),
    undone=(*CANCELLED, *AWAITED, *GIVEN_BACK, *EXCHANGED),
    partly=PARTLY,
    listing=LISTING,
    named=(*NAMES_DELIVERIES, "livre", "livres", "livree", "livrees", "reception", "receptions", "recu", "recus", "deploiement", "dotation", "dotations", "installation"),
    not_named=(*NAMES_ORDERS, *NAMES_INVENTORY, *NAMES_DISPOSALS, *NAMES_WISHES, "retour", "retours", "sav"),
    adds=("quantity",),
)

ACKNOWLEDGEMENTS = Contract(
    "equipment.acknowledgements",
    1,
    "Confirmations de réception par l'établissement",
    "Ce que l'établissement confirme avoir reçu, et si cela fonctionne.",
    (
        SCHOOL_UAI,
        SCHOOL_NAME,
        COMMUNE_NAME,
        CATEGORY,
        Field("delivery_ref", "N° de livraison", FieldType.TEXT, synonyms=("bon de livraison", "BL", "n° BL", "n° de livraison", "réf livraison")),
        _quantity("quantity", "Quantité reçue", "quantité", "qté", "nombre", "nb", "reçu", "quantité reçue", "nombre reçu", "qté reçue", "quantité constatée", "qté constatée", "constaté", "reçus"),
        _date("received_on", "Date de réception", "date", "date de réception", "reçu le", "réceptionné le", "date réception", required=True, past=True),
        Field("working", "En état de marche", FieldType.BOOLEAN, synonyms=("fonctionne", "en état de marche", "fonctionnel", "conforme", "opérationnel", "OK", "marche")),
        Field("configured", "Configuré à la livraison", FieldType.BOOLEAN, synonyms=("configuré", "prêt à l'emploi", "paramétré")),
        COMMENT,
    ),
    key=("uai", "category", "delivery_ref", "received_on"),
    rules=(PER_PUPIL,),
    place="uai",
    wide=WIDE,
    undone=(*CANCELLED, *AWAITED, *GIVEN_BACK),
    partly=PARTLY,
    named=("reception", "receptions", "recu", "recus", "accuse", "accuses", "confirmation", "confirmations", *NAMES_DELIVERIES),
    not_named=(*NAMES_ORDERS, *NAMES_INVENTORY, *NAMES_DISPOSALS, *NAMES_WISHES),
    adds=("quantity",),
)

INVENTORY = Contract(
    "equipment.inventory",
    1,
    "Inventaire du matériel présent",
    "Ce qui est présent dans l'établissement à une date de comptage, et ce qui sert. Les prêts aux élèves sont comptés, jamais nommés.",
    (
        SCHOOL_UAI,
        SCHOOL_NAME,
        COMMUNE_NAME,
        CATEGORY,
        _date("counted_on", "Date de comptage", "date", "date d'inventaire", "date de comptage", "inventaire au", "date inventaire", "situation au", "compté le", required=True, past=True),
        _quantity("quantity", "Quantité présente", "quantité", "qté", "nombre", "nb", "présent", "stock", "quantité présente", "nombre d'équipements", "total", "total présent", "en service et en réserve"),
        _quantity("in_use", "Quantité utilisée", "utilisé", "utilisés", "en service", "en usage", "quantité utilisée", "dont utilisés", "dont en service", required=False),
        _quantity("loaned", "Prêtés à des élèves", "prêtés", "prêt", "prêts", "dont prêtés", "en prêt", "prêtés aux élèves", "nombre de prêts", required=False),
        Field("purchase_year", "Année d'achat", FieldType.INTEGER, synonyms=("année d'achat", "année", "achat", "année acquisition", "acquis en", "année d'acquisition"), minimum=1990, maximum=2040),
        COMMENT,
    ),
    key=("uai", "category", "counted_on", "purchase_year"),
    rules=(
        InOrder("usage_superieur_au_present", "Le nombre d'appareils utilisés dépasse le nombre présent.", "in_use", "quantity"),
        InOrder("prets_superieurs_au_present", "Le nombre d'appareils prêtés dépasse le nombre présent.", "loaned", "quantity"),
        PER_PUPIL,
    ),
    place="uai",
    wide=WIDE,
    undone=GONE,
    listing=replace(LISTING, dated="counted_on", states={"in_use": (*IN_USE, *LOANED), "loaned": LOANED}, idle=IDLE, years=PURCHASED),
    named=(*NAMES_INVENTORY, "recensement", "etat des lieux", "comptage", "equipement", "equipements"),
    not_named=(*NAMES_ORDERS, *NAMES_DELIVERIES, *NAMES_DISPOSALS, *NAMES_WISHES, "entree", "entrees"),
    adds=("quantity", "in_use", "loaned"),
)

DISPOSALS = Contract(
    "equipment.disposals",
    1,
    "Sorties de matériel",
    "Matériel retiré du service et sa destination (décret n° 2023-266 : réemploi des équipements de moins de dix ans).",
    (
        Field("disposal_ref", "N° de sortie", FieldType.TEXT, synonyms=("n° de sortie", "référence", "réf", "PV de réforme", "n° PV", "procès-verbal", "bordereau")),
        SCHOOL_UAI,
        SCHOOL_NAME,
        COMMUNE_NAME,
        BUYER,
        CATEGORY,
        _quantity("quantity", "Quantité retirée", "quantité", "qté", "nombre", "nb", "retirés", "quantité retirée", "réformés", "nombre réformé", minimum=1),
        _date("retired_on", "Date de sortie", "date", "date de sortie", "date de réforme", "réformé le", "sorti le", "date réforme", "date de retrait", required=True, past=True),
        Field("purchase_year", "Année d'achat", FieldType.INTEGER, synonyms=("année d'achat", "année", "acquis en", "année acquisition"), minimum=1990, maximum=2040),
        Field("destination", "Destination", FieldType.CODE, "Ce que devient le matériel.", required=True, synonyms=("destination", "devenir", "filière", "sort", "motif de sortie", "mode de sortie", "traitement"), codes=DESTINATIONS),
        COMMENT,
    ),
    key=("sender", "disposal_ref", "uai", "category", "retired_on", "destination", "purchase_year"),
    place="uai",
    wide=(*WIDE, Wide("destination", "quantity")),
    undone=CANCELLED,
    listing=replace(LISTING, years=PURCHASED),
    named=(*NAMES_DISPOSALS, "don", "dons", "retrait", "retraits", "retire", "retires"),
    not_named=(*NAMES_ORDERS, *NAMES_DELIVERIES, *NAMES_INVENTORY, *NAMES_WISHES, "entree", "entrees"),
    adds=("quantity",),
)

PUBLIC_CONTRACTS = Contract(
    "equipment.public_contracts",
    1,
    "Marchés publics (données essentielles de la commande publique)",
    "Marchés et accords-cadres publiés par les acheteurs, aux formats 2018 à 2024.",
    (
        Field("contract_id", "Identifiant du marché", FieldType.TEXT, required=True, synonyms=("id", "identifiant", "numéro de marché", "n° marché", "identifiant du marché", "idMarche"), max_length=80),
        Field("buyer_siret", "SIRET de l'acheteur", FieldType.SIRET, required=True, synonyms=("acheteur.id", "acheteur_id", "idAcheteur", "siret acheteur", "acheteur id", "autoriteConcedante.id", "acheteur", "siret_acheteur", "acheteur_siret"), examples=("21350016800025",)),
        Field("buyer_name", "Acheteur", FieldType.TEXT, synonyms=("acheteur.nom", "nomAcheteur", "nom acheteur", "acheteur_nom", "autoriteConcedante.nom", "nom de l'acheteur")),
        Field("nature", "Nature", FieldType.TEXT, synonyms=("nature", "nature du marché")),
        Field("object", "Objet", FieldType.TEXT, required=True, synonyms=("objet", "objet du marché", "objetMarche", "intitulé")),
        Field("cpv", "Code CPV", FieldType.TEXT, synonyms=("codeCPV", "cpv", "code cpv"), examples=("30213100-6",)),
        Field("procedure", "Procédure", FieldType.TEXT, synonyms=("procedure", "procédure", "type de procédure", "procédure de passation")),
        Field("place_code", "Code du lieu d'exécution", FieldType.TEXT, "Tantôt code postal, tantôt commune, tantôt département : voir le type.", synonyms=("lieuExecution.code", "lieuexecution_code", "lieu code", "lieuExecution_code", "lieuExecutionCode", "code du lieu d'exécution")),
        Field("place_type", "Type de code du lieu", FieldType.TEXT, synonyms=("lieuExecution.typeCode", "lieuExecution_typeCode", "type code lieu", "lieuexecution_typecode", "lieuExecutionTypeCode", "lieu_typeCode", "type de code du lieu d'exécution")),
        Field("place_name", "Lieu d'exécution", FieldType.TEXT, synonyms=("lieuExecution.nom", "lieu d'exécution", "lieuExecution_nom", "lieuexecution_nom", "lieuExecutionNom", "lieu_nom", "nom du lieu d'exécution")),
        Field("duration_months", "Durée (mois)", FieldType.INTEGER, synonyms=("dureeMois", "durée", "durée mois", "duree_mois", "duree mois"), minimum=0, maximum=1200),
        _date("notified_on", "Notification", "dateNotification", "date de notification", "date notification", "date_notification", "dateSignature"),
        _date("published_on", "Publication", "datePublicationDonnees", "date publication", "date de publication", "date_publication_donnees", "date de publication des données"),
        Field("amount_eur", "Montant HT", FieldType.MONEY, synonyms=("montant", "montant ht", "valeurGlobale"), unit="€ HT", minimum=0, maximum=1e11),
        Field("price_form", "Forme du prix", FieldType.TEXT, synonyms=("formePrix", "forme du prix", "forme prix")),
        Field("holders", "Titulaires", FieldType.TEXT, "Identifiants des titulaires, sans leur nom.", synonyms=("titulaires", "titulaires.id", "titulaire", "titulaires_id", "titulaires_siret", "titulaire_id", "titulaire_id_1", "idTitulaire", "idTitulaires", "titulaires.titulaire.id", "siret du titulaire", "siretEtablissement")),
        Field("publication_source", "Profil d'acheteur", FieldType.TEXT, synonyms=("source", "profil", "profil d'acheteur", "plateforme", "sourceOpenData", "source_open_data", "sourceDataset")),
    ),
    key=("buyer_siret", "contract_id", "object", "holders", "notified_on", "amount_eur"),
    incidental=("publication_source", "published_on"),
    rules=(
        AnyOf("date_manquante", "Ni date de notification ni date de publication : le marché ne peut pas être daté.", ("notified_on", "published_on"), severity=Severity.WARNING),
        InOrder("publication_avant_notification", "La publication précède la notification.", "notified_on", "published_on", severity=Severity.WARNING),
    ),
    place=None,
    licence="Licence Ouverte 2.0",
    source="arrêté du 22 mars 2019 relatif aux données essentielles dans la commande publique",
)

CONTRACTS = (ORDERS, DELIVERIES, ACKNOWLEDGEMENTS, INVENTORY, DISPOSALS, PUBLIC_CONTRACTS)
