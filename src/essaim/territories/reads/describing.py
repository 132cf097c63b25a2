"""How the register writes what sources write in many ways: degree, sector, département, commune, names."""

from __future__ import annotations

import re

import polars as pl

from essaim.kernel import communes as commune_codes
from essaim.kernel import departements
from essaim.kernel.french import folded
from essaim.kernel.uai import departement_of

from .places import Places

_LYCEE = r"lycee|\bl(?:egt|pa|p|po|gt|pro)\b|erea|enseignement adapte|section.*(?:professionnel|technolog)|voie (?:generale|pro)"
_COLLEGE = r"college|\bclg\b|\bces\b"
_ECOLE = r"ecole|maternel|elementaire|primaire|premier degre"
_NOT_SCHOOL = (
    r"service|medico|institut\b|circonscription|information et orientation|dsden|rectorat|greta|centre|\bcfa\b|\bcio\b|maison famil|"
    r"superieur|universit|\bcnam\b|ecoles? (?:composees|de metiers|secondaire)|hopital"
)


def mapped(column: str, function: object, dtype: type[pl.DataType] = pl.String) -> pl.Expr:  # type: ignore[valid-type]
    """``function`` over the distinct values of ``column``."""

    def apply(series: pl.Series) -> pl.Series:
        distinct = series.drop_nulls().unique().to_list()
        table = {value: function(value) for value in distinct}  # type: ignore[operator]
        return series.replace_strict(table, default=None, return_dtype=dtype) if table else series.cast(dtype)

    return pl.col(column).map_batches(apply, return_dtype=dtype)


def level_of(text: str) -> str | None:
    """``Collège`` → ``college``; the highest degree named; ``autre`` for services and medical institutions; None when silent."""
    plain = folded(text)
    schooled = bool(re.search(f"{_COLLEGE}|{_ECOLE}|lycee", plain))
    if re.search(_NOT_SCHOOL, plain) and not re.match(r"(?:ecole (?!s? ?(?:composees|de metiers|secondaire))|college|lycee|section)", plain):
        return "autre" if not schooled or re.search(r"circonscription|institut|ecoles composees|superieur", plain) else None
    for code, pattern in (("lycee", _LYCEE), ("college", _COLLEGE), ("ecole", _ECOLE)):
        if re.search(pattern, plain):
            return code
    return "autre" if plain in ("autre",) else None


def levels_of(text: str) -> str | None:
    """Every degree named, lowest first, separated by bars."""
    plain = folded(text)
    found = [code for code, pattern in (("ecole", _ECOLE), ("college", _COLLEGE), ("lycee", _LYCEE)) if re.search(pattern, plain)]
    return "|".join(found) or None


_SMALL = frozenset(["de", "du", "des", "la", "le", "les", "et", "en", "sur", "sous", "aux", "au", "d", "l", "à", "lès"])


def readable(text: str) -> str:
    """A name in capitals as a reader writes it (``COLLEGE JEAN MOULIN`` → ``Collège Jean Moulin``); others unchanged."""
    text = " ".join(text.split())
    if text != text.upper():
        return text
    words = [word if word.lower() in _SMALL and index else word.capitalize() for index, word in enumerate(text.lower().split(" "))]
    joined = " ".join(words)
    for plain, accented in (("College", "Collège"), ("Lycee", "Lycée"), ("Ecole", "École"), ("Elementaire", "Élémentaire"), ("General", "Général")):
        joined = joined.replace(plain, accented)
    return joined


def departement_code(text: str) -> str | None:
    """A département in any spelling; None when it is none or could be two."""
    return departements.parse(text).value


# Saint-Barthélemy and Saint-Martin: their schools are those of the académie of Guadeloupe.
_UNDER_GUADELOUPE = ("977", "978")
_ARRONDISSEMENT = re.compile(r"(paris|lyon|marseille) \d{1,2}(?:er|e|eme|nd|nde)?(?: arrondissement)?")
_SHORT = {"st": "saint", "ste": "sainte", "sts": "saints", "stes": "saintes"}


def commune_key(name: str) -> str:
    """What two spellings of a commune's name have in common: accents, case, ``ST`` for ``Saint``; an arrondissement (``Paris 17e
    Arrondissement``, ``LYON 07``) is its city."""
    key = " ".join(_SHORT.get(word, word) for word in folded(name).split())
    found = _ARRONDISSEMENT.fullmatch(key)
    return found[1] if found else key


def _named(where: Places) -> pl.DataFrame:
    """``departement, _commune_key, _code``: communes of today by their only name of the département, then those before a merger by
    theirs (Bellegarde-sur-Valserine) where no commune of today has it."""
    per = ["departement", "_commune_key"]
    today = where.communes.select("departement", "name", pl.col("code").alias("_code"))
    islands = today.filter(pl.col("departement").is_in(_UNDER_GUADELOUPE)).with_columns(pl.lit("971").alias("departement"))
    now = pl.concat([today, islands]).select("departement", mapped("name", commune_key).alias("_commune_key"), "_code")
    before = where.former.drop_nulls("name").filter(pl.col("current").is_in(where.communes["code"].implode()))
    before = before.select(mapped("code", commune_codes.departement_of).alias("departement"), mapped("name", commune_key).alias("_commune_key"), pl.col("current").alias("_code"))
    before = before.drop_nulls("departement").unique(maintain_order=True)
    return pl.concat([now.unique(per, keep="none", maintain_order=True), before.unique(per, keep="none", maintain_order=True).join(now, on=per, how="anti")])


def placed(frame: pl.DataFrame, where: Places) -> pl.DataFrame:
    """Adds ``departement`` (of the UAI, which is the authority in charge; else of the labels) and makes ``commune_code`` and
    ``commune_name`` those of current communes; an unknown code is dropped, a name alone gives its code when only one fits, a former
    name that of the commune it became."""
    known = dict(where.former.select("code", "current").iter_rows())
    current = set(where.communes["code"].to_list())

    def commune(text: str) -> str | None:
        code = commune_codes.check(text).value
        code = known.get(code, commune_codes.city_of(code)) if code else None
        return code if code and (not current or code in current) else None

    frame = frame.with_columns(
        mapped("commune_code", commune).alias("commune_code"),
        pl.coalesce(
            mapped("uai", departement_of), mapped("departement_code", departement_code), mapped("departement_name", departement_code)
        ).alias("departement"),
        mapped("commune_name", commune_key).alias("_commune_key"),
    )
    if where.communes.height == 0:
        return frame.drop("_commune_key")
    named = _named(where)
    labels = where.communes.select(pl.col("code").alias("commune_code"), pl.col("name").alias("_label"))
    return (
        frame.join(named, on=["departement", "_commune_key"], how="left")
        .with_columns(pl.coalesce("commune_code", "_code").alias("commune_code"))
        .join(labels, on="commune_code", how="left")
        .with_columns(pl.coalesce("_label", mapped("commune_name", readable)).alias("commune_name"))
        .drop("_commune_key", "_code", "_label")
    )
