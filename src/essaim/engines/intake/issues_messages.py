"""Every sentence the intake says to senders: what, where, what to do. One place, declared as data."""

from __future__ import annotations

from typing import NamedTuple

from .contract import Field, FieldType, Severity

# How annotated workbooks say a severity.
SEVERITIES = {"blocking": "Bloquant", "warning": "À vérifier", "notice": "Information"}
_B, _W, _N = Severity.BLOCKING, Severity.WARNING, Severity.NOTICE


class _Said(NamedTuple):
    severity: Severity
    cell: str
    summary: str | None = None


# code: severity · said of one cell · said of several ({count}, {where} the column, {examples})
_MESSAGES: dict[str, _Said] = {
    "required": _Said(_B, "« {label} » est obligatoire et la cellule n'a pas de valeur{detail}. Complétez-la.", "{count} cellules sans valeur dans la colonne obligatoire {where} : complétez-les."),
    "column_missing": _Said(_B, "Aucune colonne ne correspond au champ obligatoire « {label} » : ajoutez-la ou indiquez laquelle c'est."),
    "number_format": _Said(_B, "« {value} » n'est pas un nombre pour « {label} ». Écrivez un nombre seul, par exemple 1 234,5.", "{count} cellules de {where} ne sont pas des nombres{examples} : écrivez un nombre seul."),
    "number_unit": _Said(_B, "L'unité de « {value} » ne convient pas à « {label} » ({expected} attendu).", "{count} cellules de {where} portent une unité qui ne convient pas{examples}."),
    "integer_format": _Said(_B, "« {value} » n'est pas un nombre entier pour « {label} ». Corrigez la valeur.", "{count} cellules de {where} ne sont pas des nombres entiers{examples}."),
    "date_format": _Said(_B, "« {value} » n'est pas une date pour « {label} ». Écrivez par exemple 31/08/2021.", "{count} cellules de {where} ne sont pas des dates{examples} : écrivez par exemple 31/08/2021."),
    "date_impossible": _Said(_B, "« {value} » n'existe pas dans le calendrier (« {label} »). Corrigez le jour ou le mois.", "{count} dates de {where} n'existent pas dans le calendrier{examples}."),
    "date_us_order": _Said(_B, "« {value} » semble écrit dans l'ordre américain, mois puis jour (« {label} »).", "{count} dates de {where} semblent écrites mois puis jour{examples} : remettez le jour d'abord."),
    "date_order_doubtful": _Said(_W, "« {value} » a été lu jour puis mois, mais d'autres dates de la colonne « {label} » sont écrites mois puis jour : vérifiez.", "{count} dates de {where} ont été lues jour puis mois alors que d'autres sont écrites mois puis jour{examples} : vérifiez-les."),
    "date_month_first": _Said(_W, "« {value} » a été lu mois puis jour, comme les autres dates de « {label} » : {suggestion}. Vérifiez.", "{count} dates de {where} ont été lues mois puis jour, car aucune ne peut être lue autrement{examples} : vérifiez-les."),
    "date_future": _Said(_W, "« {value} » est une date à venir pour « {label} » : vérifiez l'année, ou attendez que cela ait eu lieu.", "{count} dates de {where} sont à venir{examples} : vérifiez l'année."),
    "thousands_mark": _Said(_N, "« {value} » a été lu {suggestion} : ce signe sépare les milliers dans « {label} ».", "{count} nombres de {where} ont des milliers séparés par un point ou une virgule{examples}."),
    "number_words": _Said(_N, "« {value} » a été lu {suggestion} pour « {label} ».", "{count} nombres de {where} étaient suivis d'un mot ou d'un signe{examples} : le nombre seul a été lu."),
    "number_mark_doubtful": _Said(_W, "« {value} » peut se lire avec des décimales ou comme un nombre de milliers (« {label} ») : vérifiez-le.", "{count} nombres de {where} peuvent se lire avec des décimales ou comme des milliers{examples} : vérifiez-les."),
    "date_month_only": _Said(_N, "« {value} » ne dit pas le jour : le premier du mois est retenu pour « {label} ».", "{count} dates de {where} ne disent pas le jour{examples} : le premier du mois est retenu."),
    "date_serial": _Said(_N, "« {value} » est un numéro de jour de tableur, lu comme une date pour « {label} ».", "{count} dates de {where} étaient des numéros de jour de tableur{examples} : elles ont été lues comme des dates."),
    "school_year_format": _Said(_B, "« {value} » n'est pas une année scolaire (« {label} »). Écrivez 2021-2022.", "{count} cellules de {where} ne sont pas des années scolaires{examples} : écrivez 2021-2022."),
    "boolean_format": _Said(_B, "« {value} » n'est ni oui ni non pour « {label} ».", "{count} cellules de {where} ne sont ni oui ni non{examples}."),
    "code_unknown": _Said(_B, "« {value} » ne fait pas partie de la liste de « {label} » : {expected}.", "{count} cellules de {where} ne font pas partie de la liste{examples}."),
    "code_head": _Said(_W, "« {value} » a été lu « {suggestion} » d'après ses premiers mots (« {label} »). Vérifiez.", "{count} cellules de {where} ont été lues d'après leurs premiers mots{examples} : vérifiez-les."),
    "code_product": _Said(_N, "« {value} » a été lu « {suggestion} » d'après le nom du produit (« {label} »).", "{count} cellules de {where} ont été lues d'après le nom du produit{examples}."),
    "uai_spelling": _Said(_W, "L'UAI « {value} » a été lu « {suggestion} » (minuscules ou espaces). Vérifiez-le.", "{count} UAI de {where} ont été lus malgré des minuscules ou des espaces{examples} : vérifiez-les."),
    "uai_within": _Said(_W, "« {value} » a été lu {suggestion} pour « {label} ». Vérifiez-le.", "{count} UAI de {where} étaient accompagnés d'autres mots{examples} : l'UAI seul a été lu, vérifiez-les."),
    "uai_letter_missing": _Said(_B, "Il manque la lettre-clé à l'UAI « {value} ».", "{count} UAI de {where} n'ont pas leur lettre-clé{examples} : une correction est proposée pour chacun."),
    "uai_letter": _Said(_B, "La lettre-clé de l'UAI « {value} » ne correspond pas à ses chiffres : l'un ou l'autre est faux.", "{count} UAI de {where} ont une lettre-clé qui ne correspond pas à leurs chiffres{examples}."),
    "uai_several": _Said(_B, "« {value} » nomme plusieurs établissements : écrivez une ligne pour chacun, avec sa part.", "{count} cellules de {where} nomment plusieurs établissements{examples} : écrivez une ligne pour chacun."),
    "uai_format": _Said(_B, "« {value} » n'est pas un UAI : sept chiffres et une lettre sont attendus, par exemple 0020011B.", "{count} cellules de {where} ne sont pas des UAI (sept chiffres et une lettre){examples}."),
    "siren_scientific": _Said(_B, "« {value} » est un SIREN abîmé par le tableur (notation scientifique) : des chiffres sont perdus. Mettez la colonne au format texte et ressaisissez le numéro.", "{count} SIREN de {where} sont abîmés par le tableur{examples} : des chiffres sont perdus, ressaisissez-les au format texte."),
    "siren_format": _Said(_B, "« {value} » n'est pas un SIREN : neuf chiffres sont attendus.", "{count} cellules de {where} ne sont pas des SIREN (neuf chiffres){examples}."),
    "siren_length": _Said(_B, "« {value} » n'a pas les neuf chiffres d'un SIREN.", "{count} SIREN de {where} n'ont pas neuf chiffres{examples}."),
    "siren_key": _Said(_B, "« {value} » n'est pas un SIREN valide : un chiffre au moins est faux.", "{count} SIREN de {where} ont un chiffre faux{examples}."),
    "siret_scientific": _Said(_B, "« {value} » est un SIRET abîmé par le tableur (notation scientifique) : des chiffres sont perdus. Mettez la colonne au format texte et ressaisissez le numéro.", "{count} SIRET de {where} sont abîmés par le tableur{examples} : des chiffres sont perdus, ressaisissez-les au format texte."),
    "siret_format": _Said(_B, "« {value} » n'est pas un SIRET : quatorze chiffres sont attendus.", "{count} cellules de {where} ne sont pas des SIRET (quatorze chiffres){examples}."),
    "siret_length": _Said(_B, "« {value} » n'a pas les quatorze chiffres d'un SIRET.", "{count} SIRET de {where} n'ont pas quatorze chiffres{examples}."),
    "siret_key": _Said(_B, "« {value} » n'est pas un SIRET valide : un chiffre au moins est faux.", "{count} SIRET de {where} ont un chiffre faux{examples}."),
    "siret_given": _Said(_N, "« {value} » est un SIRET : ses neuf premiers chiffres, le SIREN, ont été retenus.", "{count} SIRET de {where} ont été ramenés à leur SIREN{examples}."),
    "rna_format": _Said(_B, "« {value} » n'est pas un numéro RNA : W et neuf chiffres sont attendus.", "{count} cellules de {where} ne sont pas des numéros RNA{examples}."),
    "commune_format": _Said(_B, "« {value} » n'est pas un code commune : cinq caractères sont attendus, par exemple 02408.", "{count} cellules de {where} ne sont pas des codes communes (cinq caractères){examples}."),
    "departement_ambiguous": _Said(_B, "« {value} » peut désigner la Corse-du-Sud ou la Haute-Corse : précisez 2A ou 2B.", "{count} cellules de {where} ne disent pas quel département de Corse{examples} : précisez 2A ou 2B."),
    "departement_unknown": _Said(_B, "« {value} » n'est pas un département. Écrivez son code (02, 2A, 971) ou son nom.", "{count} cellules de {where} ne sont pas des départements{examples}."),
    "leading_zero": _Said(_N, "« {value} » avait perdu son zéro : « {suggestion} » a été retenu pour « {label} ».", "{count} codes de {where} avaient perdu leur zéro{examples} : il a été remis."),
    "mojibake": _Said(_N, "Les accents de « {value} » étaient abîmés : « {suggestion} » a été retenu.", "{count} textes de {where} avaient des accents abîmés{examples} : ils ont été réparés."),
    "formula_error": _Said(_W, "« {value} » est une erreur de formule du tableur dans « {label} » : la valeur est considérée comme manquante.", "{count} cellules de {where} sont des erreurs de formule du tableur{examples} : les valeurs sont considérées comme manquantes."),
    "out_of_range": _Said(_B, "« {value} » sort des bornes de « {label} » ({expected}). Corrigez la valeur.", "{count} cellules de {where} sortent des bornes admises{examples}."),
    "too_long": _Said(_B, "Le texte de « {label} » est trop long ({expected}). Raccourcissez-le.", "{count} textes de {where} sont trop longs : raccourcissez-les."),
    "pattern": _Said(_B, "« {value} » n'a pas la forme attendue pour « {label} » ({expected}).", "{count} cellules de {where} n'ont pas la forme attendue{examples}."),
    "amount_ttc": _Said(_W, "Montant TTC là où un montant HT est attendu (« {label} ») : il a été ramené HT au taux de 20 %. Vérifiez le taux.", "{count} montants TTC de {where} ont été ramenés HT au taux de 20 %{examples} : vérifiez le taux."),
    "percent_share": _Said(_W, "Toutes les valeurs de « {label} » sont entre 0 et 1 : elles sont lues en points (0,35 = 0,35 %). Vérifiez l'unité."),
    "outlier": _Said(_W, "« {value} » est très loin des autres valeurs de « {label} » (valeur courante : {detail}). Vérifiez l'unité et la virgule.", "{count} valeurs de {where} sont très loin des autres{examples} : vérifiez l'unité et la virgule."),
    "history_gap": _Said(_W, "« {value} » s'écarte beaucoup de la valeur déjà connue ({detail}) pour « {label} ». Vérifiez.", "{count} valeurs de {where} s'écartent beaucoup de celles déjà connues{examples}."),
    "duplicate_identical": _Said(_N, "Cette ligne répète à l'identique {detail} : elle n'est comptée qu'une fois.", "{count} lignes en répètent d'autres à l'identique : elles ne sont comptées qu'une fois."),
    "duplicate_conflict": _Said(_B, "Même identité que {detail}, avec d'autres valeurs ({expected}). Gardez la bonne ligne.", "{count} lignes ont la même identité qu'une autre avec des valeurs différentes : gardez la bonne."),
    "lines_counted": _Said(_N, "{detail}"),
    "thing_repeated": _Said(_W, "Cette ligne porte le même {detail} : elle n'est comptée qu'une fois. Vérifiez le numéro.", "{count} lignes portent le même numéro qu'une autre : elles ne sont comptées qu'une fois. Vérifiez-les."),
    "thing_conflict": _Said(_B, "Cette ligne porte le même {detail}, mais ne dit pas la même chose ({expected}). Gardez la bonne ligne.", "{count} lignes portent le même numéro qu'une autre sans dire la même chose : gardez la bonne."),
    "lines_differ": _Said(_N, "{detail}"),
    "reference_unknown": _Said(_W, "« {value} » est inconnu du registre (« {label} »). Vérifiez-le.", "{count} valeurs de {where} sont inconnues du registre{examples}."),
    "reference_closed": _Said(_W, "« {value} » désigne un établissement fermé{detail} (« {label} »).", "{count} valeurs de {where} désignent des établissements fermés{examples}."),
    "reference_former": _Said(_N, "« {value} » est un ancien code : « {suggestion} » a été retenu pour « {label} ».", "{count} anciens codes de {where} ont été remplacés par le code actuel{examples}."),
    "reference_found": _Said(_N, "« {label} » manquait : « {suggestion} » a été retrouvé d'après {detail}.", "{count} valeurs de {where} manquaient et ont été retrouvées par le nom et la commune."),
    "reference_ambiguous": _Said(_B, "« {label} » manque et plusieurs établissements correspondent à {detail} : choisissez le bon.", "{count} lignes sans {where} correspondent à plusieurs établissements : choisissez le bon."),
    "reference_unsure": _Said(_B, "« {label} » manque et un seul établissement ressemble à {detail}, sans certitude : confirmez-le.", "{count} lignes sans {where} ressemblent à un établissement, sans certitude : confirmez-le."),
    "reference_not_found": _Said(_B, "« {label} » manque et aucun établissement ne correspond à {detail}. Indiquez-le.", "{count} lignes sans {where} ne correspondent à aucun établissement connu : indiquez-le."),
    "table_turned": _Said(_N, "Ce tableau est couché : une ligne par champ. Chaque colonne a été lue comme une ligne."),
    "context_value": _Said(_N, "{detail}", "{where} n'a pas de colonne dans {count} tableaux : ce qui est écrit autour de chacun a été retenu pour ses lignes."),
    "column_duplicate": _Said(_W, "Deux colonnes ont le même sens (« {label} ») : {detail}."),
    "column_conflict": _Said(_N, "{detail}"),
    "table_ignored": _Said(_N, "Ce tableau n'a pas les colonnes attendues : il n'a pas été lu. {detail}"),
    "row_struck": _Said(_B, "Cette ligne est barrée dans votre fichier : elle n'est pas comptée. Retirez-la, ou enlevez le trait si elle compte.", "{count} lignes barrées dans votre fichier ne sont pas comptées : retirez-les, ou enlevez le trait si elles comptent."),
    "rows_added": _Said(_N, "{detail}"),
    "column_matters": _Said(_W, "{detail}"),
    "packed": _Said(_W, "{detail}"),
    "currency": _Said(_W, "{detail}"),
    "amount_taxed": _Said(_N, "{detail}"),
    "title_unit": _Said(_W, "{detail}"),
    "cell_ditto": _Said(_N, "{detail}"),
    "levels_read": _Said(_N, "{detail}"),
    "date_parts": _Said(_N, "{detail}"),
    "table_left": _Said(_N, "{detail}"),
    "row_undone": _Said(_B, "La colonne « {detail} » dit « {value} » : cette ligne n'est pas comptée. Retirez-la, ou corrigez ce qui est dit si elle a bien eu lieu.", "{count} lignes ne sont pas comptées, car leur statut dit qu'elles n'ont pas eu lieu{examples} : retirez-les, ou corrigez leur statut."),
    "cell_comment": _Said(_N, "Commentaire de la cellule {detail} : « {value} ». Les commentaires ne sont pas comptés : vérifiez que la cellule dit ce qu'il faut.", "{count} cellules portent un commentaire{examples}. Les commentaires ne sont pas comptés : vérifiez que ces cellules disent ce qu'il faut."),
    "columns_missing": _Said(_B, "{detail}"),
    "table_unusable": _Said(_B, "Aucune des colonnes attendues n'a été reconnue. {detail}"),
}  # fmt: skip

CELL_MESSAGES = {code: said.cell for code, said in _MESSAGES.items()}
SUMMARY_MESSAGES = {code: said.summary for code, said in _MESSAGES.items() if said.summary}

_EXPECTED = {
    FieldType.TEXT: "un texte",
    FieldType.INTEGER: "un nombre entier",
    FieldType.DECIMAL: "un nombre, par exemple 1 234,5",
    FieldType.MONEY: "un montant en euros",
    FieldType.PERCENT: "un pourcentage, par exemple 3,5 %",
    FieldType.DATE: "une date, par exemple 31/08/2021",
    FieldType.MONTH: "un mois, par exemple août 2021",
    FieldType.SCHOOL_YEAR: "une année scolaire, par exemple 2021-2022",
    FieldType.BOOLEAN: "oui ou non",
    FieldType.UAI: "un UAI : sept chiffres et une lettre-clé",
    FieldType.SIREN: "un SIREN : neuf chiffres",
    FieldType.SIRET: "un SIRET : quatorze chiffres",
    FieldType.RNA: "un numéro RNA : W et neuf chiffres",
    FieldType.COMMUNE: "un code commune de cinq caractères",
    FieldType.DEPARTEMENT: "un département, par exemple 02 ou 2A",
}

# Answers to questions of mapping, and remarks on the file itself.
MAPPING_QUESTION = "À quoi correspond la colonne {letter} « {header} » ?"
WANTED_QUESTION = "Aucune colonne n'est reconnue pour « {label} » : laquelle est-ce ?"
WHICH_QUESTION = "Plusieurs colonnes peuvent être « {label} » : laquelle faut-il compter ?"
ONCE_QUESTION = "Aucune colonne ne donne « {label} » : que vaut-il pour tout le tableau ?"
ONE_CHOICE = "Un appareil par ligne"
NONE_CHOICE = "Aucun de ces choix"
EACH_QUESTION = "Aucune colonne ne donne « {label} ». Chaque ligne compte-t-elle pour un {one} ?"
EACH_CHOICES = (("", "Non, une ligne peut valoir pour plusieurs {several}"), ("each", "Oui, une ligne par {one} : les additionner"))
VALUE_QUESTION = "Que désigne « {text} » ({label}) ?"
LEAVE_CHOICE = "À corriger dans le fichier"
DATES_QUESTION = "« {label} » change d'une ligne à l'autre d'un même établissement. De quelle date est cette liste ?"
DATES_CHOICES = (("last", "De la plus récente, le {day} : tout ce qui est listé était là"), ("each", "Chaque date est celle d'un comptage à part"))
REPEATED_ABOVE = "{count} cellule(s) de répétition (« {example} ») ont pris le texte de la ligne du dessus, dans {labels}."
LEVELS_READ = "Chaque ligne a pris les titres écrits au-dessus d'elle (« {example} »…)."
LEVELS_SUMS = " {count} ligne(s) de sous-total sont la somme de celles qui suivent : elles ne sont pas comptées."
LEVELS_QUESTION = "« {top} » est-il le titre des lignes qui suivent (« {under} »…) ? Ses nombres, s'il en a, ne seraient alors pas comptés avec les leurs."
LEVELS_CHOICES = (("nested", "Oui, c'est le titre des lignes qui suivent", 0.0), ("", "Non, chaque ligne compte pour elle-même", 0.0))
LEVEL_QUESTION = "Que sont {examples}, écrits au-dessus des articles ?"
PARTS_READ = "Les colonnes {columns} ont été lues ensemble, comme une date."
PARTS_QUESTION = "Les colonnes {columns} disent-elles ensemble la date de chaque ligne ?"
PARTS_CHOICES = (("joined", "Oui, lire l'année et le mois comme une date", 0.0), ("", "Non, ce sont deux données distinctes", 0.0))
FILL_QUESTION = "Les lignes sans « {label} » concernent-elles l'établissement de la ligne du dessus ?"
FILL_CHOICES = (("above", "Oui, celui de la ligne du dessus", 0.0), ("", "Non, elles sont à compléter", 0.0))
NAMED_QUESTION = "Le tableau « {name} » ({rows} lignes) doit-il être compté avec « {title} » ? Son nom ou son filtre dit « {word} »."
LEGEND_QUESTION = "Au tableau « {name} », « {word} » donne un sens à une couleur ou à un signe, qui n'est pas lu. Ses {rows} lignes comptent-elles toutes avec « {title} » ? Sinon, retirez celles qui ne comptent pas, ou dites-le dans une colonne « Statut »."
HIDDEN_QUESTION = "La feuille « {name} » ({rows} lignes) est masquée, d'autres non : faut-il la compter ?"
LEFT = "Le tableau « {name} » n'a pas été compté : son nom ou son filtre dit « {word} »."
LEFT_HIDDEN = "La feuille masquée « {name} » n'a pas été comptée."
NAMED_CHOICES = (("count", "Oui, compter ses lignes", 0.0), ("leave", "Non, le laisser de côté", 0.0))
MATTERS = "La colonne « {header} » n'est pas reprise, mais elle peut changer le nombre à compter ({example}). Vérifiez « {label} »."
REMARKED = "« {header} » dit « {example} », ligne {row} : si une remarque change le nombre à compter, corrigez « {label} »."
PARTLY = "La colonne « {header} » parle de livraisons partielles ({example}) : « {label} » doit compter ce qui est là, non ce qui était attendu. Vérifiez-la."
PACKED = "« {header} » parle de lots (« {example} ») : la quantité doit compter les appareils, pas les lots. Vérifiez-la."
TAXED = "Les montants TTC de « {label} » ont été ramenés HT d'après la colonne « {header} », à 20 % là où elle ne dit rien."
CURRENCY = "Les montants de « {header} » ne sont pas en euros (« {said} ») : ils n'ont pas été repris. Convertissez-les en euros, puis renvoyez le fichier."
TITLE_UNIT = "Les montants de « {label} » ont été lus dans l'unité dite au-dessus du tableau : « {line} ». Vérifiez-les."
ADD_QUESTION = "{count} lignes disent la même chose du même établissement et ne diffèrent que par ce qui n'est pas repris ({columns}) : leurs nombres s'additionnent-ils ?"
ADD_CHOICES = (("sum", "Oui, les additionner", 0.0), ("", "Non, ce sont des répétitions", 0.0))
ADDED = "{count} ligne(s) ajoutée(s) à celles du même établissement, comme vous l'avez dit."
THE_SHEET = "la feuille où elles se trouvent"
IGNORE_CHOICE = "Ne pas reprendre cette colonne"
REFERENCE_QUESTION = "Quel établissement est {about} ?"


def severity_of(code: str) -> Severity:
    """Severity of an issue code of the intake; KeyError for a rule's own code."""
    return _MESSAGES[code].severity


def expected_of(field: Field) -> str:
    """What a cell of ``field`` should hold, in a few French words."""
    if field.type is FieldType.CODE:
        labels = [code.label for code in field.codes]
        return ", ".join(labels[:8]) + (f"… ({len(labels)} valeurs)" if len(labels) > 8 else "")
    return _EXPECTED[field.type]
