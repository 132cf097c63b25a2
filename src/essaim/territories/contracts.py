"""The files of the register: establishments, closures, social position, enrolment, places. As published in open data.

A source sees a part of the truth (the directory knows the contract, the position file the IPS): the natural keys hold the
sender, which is the source, and ``acts.projecting`` merges the sources in a declared order, whatever the order of loading.
Geographical columns are text: the register must not lose a school because of a label; the projection reads them.
"""

from __future__ import annotations

from essaim.engines.intake.contract import Code, Contract, Field, FieldType

from .geographies import DATED_COMMUNES, FORMER_COMMUNES, OPEN_LICENCE, PLACES, text

PORTAL = "https://data.education.gouv.fr"

SECTORS = (
    Code("public", "Public", ("PU", "publique", "secteur public", "etablissement public", "P", "enseignement public")),
    Code(
        "prive",
        "Privé",
        (
            "PR", "privée", "privé sous contrat", "prive sous contrat", "privé hors contrat", "prive hors contrat",
            "sous contrat", "hors contrat", "secteur privé", "privé sous contrat d'association", "privé sous contrat simple",
        ),
    ),
)  # fmt: skip
PRIORITY = (
    Code("rep", "REP", ("reseau d'education prioritaire", "réseau d'éducation prioritaire")),
    Code("rep_plus", "REP+", ("REP +", "rep plus", "REP_PLUS", "réseau d'éducation prioritaire renforcé")),
    Code("hors_ep", "Hors éducation prioritaire", ("hors EP", "HORS REP", "non", "hors éducation prioritaire", "aucun", "sans objet")),
)
UAI = Field(
    "uai",
    "UAI",
    FieldType.UAI,
    "Identifiant national de l'établissement : sept chiffres et une lettre-clé.",
    required=True,
    synonyms=(
        "UAI", "numero_uai", "Numéro UAI", "Identifiant_de_l_etablissement", "Identifiant de l'établissement", "identifiant",
        "Code établissement", "code UAI", "Numéro de l'école", "numero_ecole", "numero_lycee", "Numéro du lycée", "numero_college", "Numéro du collège", "numero_de_l_ecole", "UAI de l'établissement",
        "RNE", "Code_RNE", "code RNE", "identifiant_etablissement", "n° UAI", "uai_etablissement", "UAI établissement",
        "Numéro de l'établissement", "numero_etablissement", "code_etab", "id_etablissement", "uai_el",
    ),
    examples=("0020011B", "9710017S"),
)  # fmt: skip
NAME = Field(
    "name",
    "Nom de l'établissement",
    FieldType.TEXT,
    "Nom sous lequel l'établissement est connu.",
    synonyms=(
        "nom", "Nom_etablissement", "Nom établissement", "Nom de l'établissment", "nom_de_l_etablissment", "nom_de_l_etablissement",
        "Appellation officielle", "appellation_officielle", "nom de l'école", "nom_ecole", "Patronyme", "patronyme_uai",
        "Patronyme uai", "libellé établissement", "lib_etab", "nom du lycée", "nom du collège", "etablissement",
    ),
    examples=("Collège Jean Moulin",),
)  # fmt: skip
DENOMINATION = Field(
    "denomination",
    "Dénomination principale",
    FieldType.TEXT,
    "Dénomination administrative (école maternelle publique, collège, lycée polyvalent…).",
    synonyms=("denomination_principale", "Dénomination principale", "denomination", "denomination_principale_uai"),
    examples=("ECOLE ELEMENTAIRE PUBLIQUE",),
)
KIND = Field(
    "kind",
    "Type d'établissement",
    FieldType.TEXT,
    "École, collège, lycée… tel que la source l'écrit.",
    synonyms=("Type_etablissement", "type_etablissement", "Type d'établissement", "type", "type_de_lycee", "Type de lycée", "degre"),
    examples=("Collège",),
)
SECTOR = Field(
    "sector",
    "Secteur",
    FieldType.CODE,
    "Enseignement public ou privé.",
    synonyms=(
        "Statut_public_prive", "Statut public/privé", "statut public privé", "secteur_public_prive_libe", "Secteur Public/Privé",
        "secteur", "secteur_public_prive", "secteur d'enseignement", "statut",
    ),
    codes=SECTORS,
)  # fmt: skip
COMMUNE_CODE = Field(
    "commune_code",
    "Code commune",
    FieldType.TEXT,
    "Code INSEE de la commune, tel que la source l'écrit.",
    synonyms=(
        "code_commune", "Code commune", "code_insee", "Code INSEE", "code_commune_insee", "Code INSEE de la commune",
        "code_insee_de_la_commune", "insee", "code commune INSEE", "codgeo", "insee_commune", "com",
    ),
    examples=("02408", "2A004"),
)  # fmt: skip
COMMUNE_NAME = Field(
    "commune_name",
    "Commune",
    FieldType.TEXT,
    "Nom de la commune.",
    synonyms=(
        "Nom_commune", "commune", "libelle_commune", "Nom de la commune", "nom_de_la_commune", "ville", "libellé commune",
        "nom commune", "commune d'implantation",
    ),
    examples=("Laon",),
)  # fmt: skip
DEPARTEMENT_CODE = Field(
    "departement_code",
    "Code département",
    FieldType.TEXT,
    "Code du département, tel que la source l'écrit (trois caractères parfois).",
    synonyms=("Code_departement", "code_du_departement", "Code du département", "code département", "Code département pays", "code dep", "code_dept", "code_departement_pays"),
    examples=("002", "02A"),
)
DEPARTEMENT_NAME = Field(
    "departement_name",
    "Département",
    FieldType.TEXT,
    "Nom du département, ou son code.",
    synonyms=("Libelle_departement", "departement", "libellé département", "nom_departement", "nom du département", "dep", "dept"),
    examples=("AISNE",),
)
ACADEMIE = Field(
    "academie_name",
    "Académie",
    FieldType.TEXT,
    "Nom de l'académie.",
    synonyms=("Libelle_academie", "academie", "libellé académie", "nom_academie", "Académie et assimilé"),
    examples=("AMIENS",),
)
LATITUDE = Field(
    "latitude", "Latitude", FieldType.DECIMAL, "Degrés décimaux, WGS 84.",
    synonyms=("latitude", "Latitude WGS84", "lat", "coordonnee_latitude", "y_wgs84"), unit="°",
)  # fmt: skip
LONGITUDE = Field(
    "longitude", "Longitude", FieldType.DECIMAL, "Degrés décimaux, WGS 84.",
    synonyms=("longitude", "Longitude WGS84", "lon", "lng", "long", "coordonnee_longitude", "x_wgs84"), unit="°",
)  # fmt: skip
SCHOOL_YEAR = Field(
    "school_year",
    "Année scolaire",
    FieldType.SCHOOL_YEAR,
    "Année scolaire ; l'année seule est celle de la rentrée. Sans colonne, elle est lue dans le nom du fichier.",
    synonyms=(
        "rentree_scolaire", "Rentrée scolaire", "Année scolaire", "rentree", "annee", "annee_scolaire", "Rentrée", "millésime",
    ),
    examples=("2022-2023",),
)  # fmt: skip
PUPILS = Field(
    "pupils",
    "Nombre d'élèves",
    FieldType.INTEGER,
    "Élèves inscrits à la rentrée.",
    synonyms=(
        "Nombre_d_eleves", "Nombre d'élèves", "nombre_total_eleves", "Nombre total d'élèves", "nombre_eleves_total", "effectif_total",
        "effectifs", "effectif", "nombre_de_eleves", "nombre_eleves", "nb_eleves", "Nombre d'élèves total", "effectif total",
        "Effectifs Ensemble GT-PRO", "effectifs_ensemble_gt_pro", "effectif_eleves", "nombre total élèves",
    ),
    unit="élèves",
    minimum=0,
)  # fmt: skip
REP = Field(
    "rep", "REP", FieldType.BOOLEAN, "Appartient à un réseau d'éducation prioritaire.", synonyms=("rep", "REP")
)
REP_PLUS = Field(
    "rep_plus", "REP +", FieldType.BOOLEAN, "Appartient à un réseau d'éducation prioritaire renforcé.",
    synonyms=("rep_plus", "REP +", "REP+", "rep plus", "rep0"),
)  # fmt: skip
PRIORITY_EDUCATION = Field(
    "priority_education",
    "Éducation prioritaire",
    FieldType.CODE,
    "Appartenance à l'éducation prioritaire.",
    synonyms=(
        "Appartenance_Education_Prioritaire", "Appartenance éducation prioritaire", "rep", "education_prioritaire", "statut EP", "EP",
        "statut_education_prioritaire", *(f"ep_{year}_{year + 1}" for year in range(2015, 2031)),
    ),
    codes=PRIORITY,
)  # fmt: skip


def _flag(name: str, label: str, *synonyms: str) -> Field:
    return Field(name, label, FieldType.BOOLEAN, synonyms=(label, *synonyms))


NATURE_CODE = text("nature_code", "Code nature", "nature_uai", "code_nature", description="Nomenclature N_NATURE_UAI.")
NATURE = text("nature", "Nature", "libelle_nature", "nature_uai_libe", "libellé nature", "nature_etablissement")
# Columns that come with the others and must not be mistaken for them.
ALONGSIDE = (
    text("academie_code", "Code académie", "Code_academie", "code académie"),
    text("region_code", "Code région", "Code_region", "code_region_academique"),
    text("region_name", "Région", "Libelle_region", "libellé région", "Région académique", "region_academique"),
    text("address", "Adresse", "Adresse_1", "adresse_uai", "adresse postale"),
    text("hamlet", "Lieu-dit", "lieu_dit_uai", "Lieu dit", "Adresse_2"),
    text("mailbox", "Boîte postale", "boite_postale_uai", "Boite postale", "Adresse_3"),
    text("projection_x", "Coordonnée X", "coordonnee_x", "coordX_origine", "coordonnee_X", "Coordonnee X"),
    text("projection_y", "Coordonnée Y", "coordonnee_y", "coordY_origine", "coordonnee_Y", "Coordonnee Y"),
    text("projection", "EPSG", "epsg", "epsg_origine"),
    text("precision", "Précision de la localisation", "precision_localisation", "localisation", "Localisation"),
    text("matching", "Qualité d'appariement", "appariement"),
    text("position", "Position", "position", "geo_point_2d", "coordonnees"),
)
SIGNIFICANT_DATES = (
    Field("opened_on", "Date d'ouverture", FieldType.DATE, synonyms=("date_ouverture", "Date ouverture", "ouverture")),
    Field("closed_on", "Date de fermeture", FieldType.DATE, synonyms=("date_fermeture", "Date fermeture", "fermeture", "fermé le")),
)

ESTABLISHMENTS = Contract(
    "territories.establishments",
    1,
    "Registre des établissements",
    "Une ligne par établissement ou par site : annuaire de l'éducation, adresse et géolocalisation, éducation prioritaire, "
    "base nationale. Plusieurs lignes d'un même UAI (annexes) sont admises.",
    (
        UAI, NAME, DENOMINATION, KIND,
        text("levels", "Niveaux", "niveaux", "niveau", "niveaux d'enseignement"),
        NATURE_CODE, NATURE, SECTOR,
        text("contract_type", "Type de contrat", "Type_contrat_prive", "Type contrat privé", "secteur_prive_libelle_type_contrat", "Type contrat"),
        text("postal_code", "Code postal", "Code_postal", "code_postal_uai", "cp"),
        COMMUNE_CODE, COMMUNE_NAME, DEPARTEMENT_CODE, DEPARTEMENT_NAME, ACADEMIE,
        text("circonscription_code", "Code circonscription", "code_circonscription", "uai_circonscription", "UAI circonscription"),
        text("circonscription", "Circonscription", "nom_circonscription", "Nom de la circonscription", "circonscription d'inspection"),
        LATITUDE, LONGITUDE, SIGNIFICANT_DATES[0],
        text("state", "État", "etat", "etat_etablissement_libe", "Etat établissement", "etat établissement"),
        text("siret", "SIREN ou SIRET", "SIREN_SIRET", "siren siret", "siret", "numero_siren_siret_uai", "Siren / Siret"),
        PRIORITY_EDUCATION, PUPILS,
        Field("updated_on", "Date de mise à jour", FieldType.DATE, synonyms=("date_maj_ligne", "Date de mise à jour de la ligne", "date_maj")),
        text("parent_uai", "Établissement mère", "etablissement_mere", "Etablissement mère", "uai_mere"),
        text("parent_link", "Type de rattachement", "type_rattachement_etablissement_mere"),
        text("network_uai", "Tête de réseau", "uai_tete_de_reseau", "UAI tête de réseau", "tete de reseau"),
        text("ministry", "Ministère de tutelle", "ministere_tutelle", "libelle_ministere", "Ministère"),
        _flag("nursery", "École maternelle", "Ecole_maternelle", "maternelle"),
        _flag("elementary", "École élémentaire", "Ecole_elementaire", "élémentaire"),
        _flag("general_track", "Voie générale", "Voie_generale"),
        _flag("technological_track", "Voie technologique", "Voie_technologique"),
        _flag("vocational_track", "Voie professionnelle", "Voie_professionnelle"),
        text("contract_code", "Code type de contrat", "Code_type_contrat_prive", "secteur_prive_code_type_contrat", "Code type contrat"),
        text("state_code", "Code état", "etat_etablissement", "Code état établissement"),
        text("ministry_code", "Code ministère", "code_ministere"),
        text("district_code", "Code du quartier prioritaire", "qp_a_proximite"),
        text("district_near", "Quartier prioritaire à proximité", "qp_a_proximite_o_n"),
        text("district_name", "Nom du quartier prioritaire", "nom_du_qp"),
        *ALONGSIDE,
    ),
    key=("sender", "uai", "name", "commune_code"),
    place="uai",
    licence=OPEN_LICENCE,
    source=f"{PORTAL}/explore/dataset/fr-en-annuaire-education",
)  # fmt: skip

CLOSURES = Contract(
    "territories.closures",
    1,
    "Établissements fermés",
    "Une ligne par établissement fermé, avec sa date de fermeture et, s'il a fusionné, l'établissement qui lui succède.",
    (
        UAI, NAME, DENOMINATION, NATURE_CODE, NATURE, SECTOR, SIGNIFICANT_DATES[0],
        Field("closed_on", "Date de fermeture", FieldType.DATE, required=True, synonyms=SIGNIFICANT_DATES[1].synonyms),
        text("successor_uai", "UAI du successeur", "uai_successeur", "successeur", "uai_fille", "établissement d'accueil", "uai de fusion", "établissement repreneur", "uai repreneur", "établissement absorbant"),
        text("postal_code", "Code postal", "code_postal_uai", "Code_postal", "cp"),
        COMMUNE_CODE, COMMUNE_NAME, DEPARTEMENT_CODE, DEPARTEMENT_NAME, ACADEMIE, LATITUDE, LONGITUDE,
        _flag("nursery", "École maternelle", "Ecole_maternelle"),
        _flag("elementary", "École élémentaire", "Ecole_elementaire"),
        *ALONGSIDE,
    ),
    key=("uai",),
    place="uai",
    licence=OPEN_LICENCE,
    source=f"{PORTAL}/explore/dataset/fr-en-etablissements-fermes",
)  # fmt: skip


def _ips(name: str, label: str, *synonyms: str, required: bool = False) -> Field:
    return Field(
        name, label, FieldType.DECIMAL, "Indice de position sociale ; NS : non significatif.",
        required=required, synonyms=synonyms, minimum=0, maximum=250, unit="points",
    )  # fmt: skip


SOCIAL_POSITION = Contract(
    "territories.social_position",
    1,
    "Indices de position sociale (IPS)",
    "Une ligne par établissement et par rentrée, tous degrés. Pour un lycée, l'indice retenu est celui de l'ensemble des voies.",
    (
        SCHOOL_YEAR, UAI, NAME, KIND, SECTOR, COMMUNE_CODE, COMMUNE_NAME, DEPARTEMENT_CODE, DEPARTEMENT_NAME, ACADEMIE,
        _ips("ips", "IPS", "ips", "ips_etab", "IPS Ensemble GT-PRO", "ips_ensemble_gt_pro", "ips_etablissement", "indice de position sociale",
             "IPS de l'établissement", "ips_ensemble"),
        _ips("ips_gt", "IPS voie GT", "ips_voie_gt", "IPS voie générale et technologique"),
        _ips("ips_pro", "IPS voie PRO", "ips_voie_pro", "IPS voie professionnelle"),
        _ips("ips_post_bac", "IPS post-bac", "ips_post_bac", "IPS post BAC"),
        _ips("ips_national", "IPS national", "ips_national", "ips_national_public", "IPS national du type", "ips_national_legt"),
        _ips("ips_national_prive", "IPS national privé", "ips_national_prive", "ips_national_lpo"),
        _ips("ips_academique", "IPS académique", "ips_academique", "ips_academique_public", "ips_academique_legt"),
        _ips("ips_departemental", "IPS départemental", "ips_departemental", "ips_departemental_public", "ips_departemental_legt"),
        _ips("ips_std", "Écart-type de l'IPS", "ecart_type_de_l_ips", "Ecart-type de l'IPS", "ecart_type_ips", "ecart_type_etablissement", "Ecart-type établissement",
             "ecart_type_de_l_ips_ensemble", "ecart_type_de_l_ips_ensemble_gt_pro", "Ecart-type de l'IPS Ensemble GT-PRO"),
        _ips("ips_std_gt", "Écart-type de l'IPS voie GT", "ecart_type_de_l_ips_voie_gt", "ecart_type_voie_gt", "Ecart-type de l'IPS voie GT"),
        _ips("ips_std_pro", "Écart-type de l'IPS voie PRO", "ecart_type_de_l_ips_voie_pro", "ecart_type_voie_pro", "Ecart-type de l'IPS voie PRO"),
        PUPILS,
        Field("pupils_gt", "Effectifs voie GT", FieldType.INTEGER, synonyms=("effectifs_voie_gt", "Effectifs voie GT"), unit="élèves", minimum=0),
        Field("pupils_pro", "Effectifs voie PRO", FieldType.INTEGER, synonyms=("effectifs_voie_pro", "Effectifs voie PRO"), unit="élèves", minimum=0),
        LATITUDE, LONGITUDE, *ALONGSIDE[:3],
    ),
    key=("sender", "uai", "school_year"),
    place="uai",
    licence=OPEN_LICENCE,
    source=f"{PORTAL}/explore/dataset/fr-en-ips-ecoles-ap2022",
)  # fmt: skip


def _count(name: str, label: str, *synonyms: str) -> Field:
    return Field(name, label, FieldType.INTEGER, synonyms=(label, *synonyms), unit="élèves", minimum=0)


ENROLMENT = Contract(
    "territories.enrolment",
    1,
    "Effectifs d'élèves",
    "Élèves et classes par établissement, rentrée et niveau. Un établissement polyvalent a une ligne par niveau : elles s'ajoutent.",
    (
        SCHOOL_YEAR, UAI, NAME, DENOMINATION,
        text("level", "Niveau", "niveau", "niveaux", "degré", description="École, collège, lycée…"),
        SECTOR, COMMUNE_NAME, DEPARTEMENT_CODE, DEPARTEMENT_NAME,
        Field("pupils", "Nombre d'élèves", FieldType.INTEGER, PUPILS.description, required=True, synonyms=PUPILS.synonyms, unit="élèves", minimum=0),
        Field("classes", "Nombre de classes", FieldType.INTEGER, "Classes ouvertes à la rentrée.",
              synonyms=("nombre_total_classes", "Nombre total de classes", "nombre_classes", "nb_classes", "classes", "nombre de classes", "divisions"), unit="classes", minimum=0),
        REP, REP_PLUS,
        _count("pupils_nursery", "Nombre d'élèves en pré-élémentaire hors ULIS", "nombre_eleves_preelementaire_hors_ulis", "effectif_pre_elementaire"),
        _count("pupils_elementary", "Nombre d'élèves en élémentaire hors ULIS", "nombre_eleves_elementaire_hors_ulis", "effectif_elementaire"),
        _count("pupils_ulis", "Nombre d'élèves en ULIS", "nombre_eleves_ulis", "Nombre d'élèves total ULIS", "nombre_d_eleves_total_ulis", "effectif_ulis"),
        _count("pupils_sixth", "6èmes total", "nombre_eleves_6eme_total", "6eme_total", "nombre_total_de_6emes", "Nombre total de 6èmes", "effectif_6e"),
        _count("pupils_second_gt", "2ndes GT", "2ndes_gt", "secondes_gt", "nombre_eleves_2nde_gt"),
        _count("pupils_second_pro", "2ndes PRO", "2ndes_pro", "secondes_pro", "nombre_eleves_2nde_pro"),
        LATITUDE, LONGITUDE,
    ),
    key=("sender", "uai", "school_year", "level"),
    place="uai",
    licence=OPEN_LICENCE,
    source=f"{PORTAL}/explore/dataset/fr-en-ecoles-effectifs-nb_classes",
)  # fmt: skip

def _index(name: str, label: str, *synonyms: str, required: bool = False) -> Field:
    return Field(name, label, FieldType.DECIMAL, required=required, synonyms=synonyms, unit="points", minimum=0, maximum=1000)


FRAGILITY = Contract(
    "territories.fragility",
    1,
    "Indice de fragilité numérique",
    "Une ligne par quartier (IRIS) ou par commune. Plus l'indice est élevé, plus ses habitants risquent d'être éloignés du numérique.",
    (
        Field("code", "Code IRIS ou commune", FieldType.TEXT, "Neuf caractères pour un IRIS, cinq pour une commune.", required=True,
              synonyms=("code_iris", "IRIS", "Code IRIS", "codgeo", "code_insee"), pattern=r"\d[\dAB]\d{3}(\d{4})?", examples=("010040101",)),
        text("name", "Commune", "nom_com", "nom commune", "libcom"), text("quarter_name", "Quartier", "nom_iris", "libiris"),
        Field("population", "Population", FieldType.DECIMAL, "Habitants du quartier ; estimée, donc décimale.", required=True,
              synonyms=("population", "P17_POP"), unit="habitants", minimum=0),
        _index("score", "Score global", "SCORE GLOBAL", "score_global", "indice de fragilité numérique", required=True),
        _index("access", "Accès", "GLOBAL ACCES", "score accès"), _index("skills", "Compétences", "GLOBAL COMPETENCES", "score compétences"),
        _index("information", "Accès à l'information"), _index("interfaces", "Accès aux interfaces numériques"),
        _index("administrative", "Compétences administratives", "COMPETENCES ADMINISTATIVES"), _index("digital", "Compétences numériques / scolaires"),
    ),
    key=("sender", "code"),
    source="https://fragilite-numerique.fr",
)  # fmt: skip

KINDS_OF_ORGANISATION = (
    Code("commune", "Commune", ("ville", "mairie")),
    Code("epci", "Intercommunalité", ("communauté de communes", "communauté d'agglomération", "métropole", "communauté urbaine")),
    Code("departement", "Département", ("conseil départemental",)),
    Code("region", "Région", ("conseil régional",)),
    Code("syndicat", "Syndicat", ("syndicat scolaire", "SIVOS", "SIVU", "SIVOM", "syndicat mixte")),
    Code("ogec", "Organisme de gestion (privé)", ("OGEC",)),
    Code("diocese", "Direction diocésaine", ("diocèse",)),
    Code("academie", "Académie", ("rectorat",)),
    Code("etat", "Service de l'État"),
    Code("operateur", "Opérateur de l'État", ("établissement public",)),
    Code("association", "Association"),
    Code("entreprise", "Entreprise", ("société",)),
)  # fmt: skip
ORGANISATIONS = Contract(
    "territories.organisations",
    1,
    "Noms d'organismes",
    "Une ligne par organisme qui envoie des fichiers ou achète : son SIREN et le nom sous lequel le montrer. Le dernier nom donné l'emporte.",
    (
        Field("siren", "SIREN", FieldType.SIREN, "Neuf chiffres ; un SIRET convient.", required=True,
              synonyms=("SIREN de l'organisme", "siren_organisme", "n° SIREN", "SIRET", "siret_organisme"), examples=("210204086",)),
        Field("name", "Nom de l'organisme", FieldType.TEXT, required=True, max_length=255, examples=("Syndicat scolaire de la Vallée",),
              synonyms=("nom", "nom_organisme", "dénomination", "raison sociale", "nom de la collectivité", "organisme")),
        Field("kind", "Nature", FieldType.CODE, synonyms=("nature", "type", "nature de l'organisme"), codes=KINDS_OF_ORGANISATION),
        text("departement", "Département", "code département", "dep"),
    ),
    key=("siren",),
    licence=OPEN_LICENCE,
)  # fmt: skip

CONTRACTS = (PLACES, FORMER_COMMUNES, DATED_COMMUNES, ESTABLISHMENTS, CLOSURES, SOCIAL_POSITION, ENROLMENT, FRAGILITY, ORGANISATIONS)
