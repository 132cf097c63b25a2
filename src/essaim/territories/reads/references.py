"""The register as the checks ask it: schools, communes, organisations. Works on the snapshot alone, without Django."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import polars as pl
from rapidfuzz import fuzz, process

from essaim.engines.intake.references import Reference
from essaim.kernel import communes as commune_codes
from essaim.kernel import departements
from essaim.kernel.french import folded

from . import snapshot

KNOWN = {"value": pl.String, "known": pl.Boolean, "replaced_by": pl.String, "closed_on": pl.Date}
FOUND = {"query": pl.UInt32, "value": pl.String, "label": pl.String, "score": pl.Float64}
_KEEP, _FLOOR = 5, 50.0
_ABBREVIATIONS = {
    "st": "saint", "ste": "sainte", "sts": "saints", "mat": "maternelle", "elem": "elementaire", "elm": "elementaire", "elt": "elementaire",
    "prim": "primaire", "clg": "college", "col": "college", "coll": "college", "lyc": "lycee", "ec": "ecole", "eco": "ecole",
    "pub": "publique", "priv": "privee", "j": "jean", "gal": "general", "dr": "docteur", "pdt": "president", "ndame": "notre dame",
    "eepu": "ecole elementaire publique", "empu": "ecole maternelle publique", "eppu": "ecole primaire publique", "nd": "notre dame",
    "eem": "ecole elementaire", "lp": "lycee professionnel", "lpo": "lycee polyvalent", "lgt": "lycee general technologique",
}  # fmt: skip
# « E.E.PU », « EM PR », « E P »: at the start of a name only, before a word.
_INITIALS = re.compile(r"^e ?([emp])(?: ?(pu|pr))?(?= \w{2})")
_DEGREES = {"e": "elementaire", "m": "maternelle", "p": "primaire"}
_STATUSES = {"pu": "publique", "pr": "privee"}
_KINDS = frozenset(
    ["ecole", "college", "lycee", "elementaire", "maternelle", "primaire", "publique", "public", "privee", "prive", "de", "du", "des", "la", "le", "les", "l", "d", "et", "general", "technologique", "professionnel", "polyvalent", "municipale", "communale", "groupe", "scolaire", "cite", "mixte"]
)


@lru_cache(maxsize=262_144)
def school_key(name: str) -> str:
    """A school's name as compared: folded, abbreviations spelt out."""
    text = _INITIALS.sub(lambda found: f"ecole {_DEGREES[found[1]]} {_STATUSES.get(found[2], '')}", folded(name))
    return " ".join(_ABBREVIATIONS.get(word, word) for word in text.split())


@lru_cache(maxsize=262_144)
def own_name(key: str) -> str:
    """What distinguishes a school from its neighbours: its key without the words of kind."""
    return " ".join(word for word in key.split() if word not in _KINDS)


@lru_cache(maxsize=65_536)
def commune_key(name: str) -> str:
    """A commune's name as compared: folded, ``St`` spelt out, article, CEDEX and district number left out."""
    words = [_ABBREVIATIONS.get(word, word) if word in ("st", "ste") else word for word in folded(name).split()]
    kept = [word for word in words if word not in ("le", "la", "les", "l", "cedex") and not word.isdigit()]
    return " ".join(kept or words)


def _known(values: pl.Series, table: pl.DataFrame) -> pl.DataFrame:
    asked = pl.DataFrame({"value": values.cast(pl.String)})
    found = asked.join(table, on="value", how="left", maintain_order="left")
    return found.with_columns(pl.col("known").fill_null(False)).select(list(KNOWN))


def _answers(rows: Iterable[tuple[int, str, str, float]]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=FOUND, orient="row")


@dataclass(frozen=True, slots=True)
class _Query:
    """One query of names, read."""

    row: int
    name: str
    commune: str
    departement: str | None
    postal_code: str
    code: str | None


def _queries(frame: pl.DataFrame) -> list[_Query]:
    wanted = ("name", "commune", "departement", "postal_code")
    present = [name for name in wanted if name in frame.columns]
    found = []
    for row in frame.select("query", *present).iter_rows(named=True):
        commune = str(row.get("commune") or "")
        place = str(row.get("departement") or "")
        found.append(
            _Query(
                row["query"], str(row.get("name") or ""), commune_key(commune), departements.parse(place).value if place else None,
                str(row.get("postal_code") or "").strip(), commune_codes.check(commune).value if commune[:2].isdigit() else None,
            )
        )  # fmt: skip
    return found


@dataclass(slots=True)
class EstablishmentReference:
    """Schools by UAI, and found again by name and commune. A closed school is known, with its closing day and successor."""

    schools: pl.DataFrame
    former: pl.DataFrame
    _groups: dict[str, dict[str, list[int]]] = field(default_factory=dict, repr=False)
    _rows: list[tuple[str, str, str, str, str, bool]] = field(default_factory=list, repr=False)

    def known(self, values: pl.Series) -> pl.DataFrame:
        """See ``Reference.known``."""
        table = self.schools.select(
            pl.col("uai").alias("value"), pl.lit(True).alias("known"), pl.col("successor_uai").alias("replaced_by"), "closed_on"
        )
        return _known(values, table)

    def attributes(self, values: pl.Series) -> pl.DataFrame:
        """``value, departement, name, commune, commune_code, level, pupils, classes``."""
        columns = ["departement", "name", pl.col("commune_name").alias("commune"), "commune_code", "level", "pupils", "classes"]
        table = self.schools.select(pl.col("uai").alias("value"), *columns)
        return pl.DataFrame({"value": values.cast(pl.String)}).join(table, on="value", how="left", maintain_order="left")

    def find(self, queries: pl.DataFrame) -> pl.DataFrame:
        """See ``Reference.find``: the name among the schools of the commune (its former names and codes too), else of the
        département, else nowhere. Open schools come before closed ones of the same score."""
        self._prepare()
        answers: list[tuple[int, str, str, float]] = []
        for query in _queries(queries):
            if query.name:
                answers += self._found(query)
        return _answers(answers)

    def _prepare(self) -> None:
        if self._rows:
            return
        groups: dict[str, dict[str, list[int]]] = {"commune": {}, "departement": {}, "postal": {}}
        columns = ("uai", "name", "kind", "commune_name", "departement", "closed_on", "commune_code", "postal_code")
        for uai, name, kind, commune, departement, closed, code, postal in self.schools.select(columns).iter_rows():
            index = len(self._rows)
            title = name or kind or ""
            self._rows.append((uai, title, school_key(title), commune or "", departement or "", closed is not None))
            for group, key in (("commune", code), ("commune", commune_key(commune or "")), ("departement", departement), ("postal", postal)):
                if key:
                    groups[group].setdefault(key, []).append(index)
        self._add_former_names(groups["commune"])
        self._groups = groups

    def _add_former_names(self, communes: dict[str, list[int]]) -> None:
        """A former commune's name leads to the schools of the current one, beside those of a commune that bears it today."""
        for name, code in self.former.select("name", "current").drop_nulls("name").iter_rows():
            key = commune_key(name)
            if key and code in communes and communes.get(key) is not communes[code]:
                communes[key] = list(dict.fromkeys([*communes.get(key, ()), *communes[code]]))

    def _pool(self, query: _Query) -> tuple[list[int], float]:
        """Candidate schools and how much the place is worth: sure, close spelling of the commune, or département only."""
        communes = self._groups["commune"]
        for key in (query.code, query.commune):
            if key and key in communes:
                inside = communes[key]
                narrowed = [i for i in inside if query.departement in (None, self._rows[i][4])]
                return narrowed or inside, 1.0
        if query.postal_code in self._groups["postal"]:
            return self._groups["postal"][query.postal_code], 0.98
        if query.commune:
            near = process.extractOne(query.commune, communes.keys(), scorer=fuzz.ratio, score_cutoff=88)
            if near:
                return communes[near[0]], 0.97
            return [], 0.0
        return self._groups["departement"].get(query.departement or "", []), 0.92

    def _found(self, query: _Query) -> list[tuple[int, str, str, float]]:
        pool, worth = self._pool(query)
        key = school_key(query.name)
        scored = []
        for index in pool:
            uai, title, known, commune, departement, closed = self._rows[index]
            score = name_score(key, known, commune_key(commune)) * worth
            if score >= _FLOOR:
                label = f"{title or uai}, {commune} ({departement})" + (" – fermé" if closed else "")
                # A closed school answers to its very name; to a likely one, it is only proposed.
                scored.append((score - (0.0 if not closed else 6.0 if known == key else 16.0), uai, label))
        scored.sort(key=lambda item: (-item[0], item[1]))
        return [(query.row, uai, label, round(min(100.0, score), 1)) for score, uai, label in scored[:_KEEP]]


@lru_cache(maxsize=262_144)
def name_score(asked: str, known: str, commune: str = "") -> float:
    """0–100: how well two school keys agree. What distinguishes (the own name) weighs three times the words of kind; a
    degree that contradicts the other (école against collège) costs a third."""
    if not asked or not known:
        return 0.0
    if asked == known:
        return 100.0
    one, other = own_name(asked), own_name(known)
    if commune:
        one, other = _without(one, commune), _without(other, commune)
    whole = fuzz.token_sort_ratio(asked, known)
    if one and other:
        score = 0.75 * max(fuzz.token_sort_ratio(one, other), 0.96 * fuzz.token_set_ratio(one, other)) + 0.25 * whole
    elif not one and not other:
        score = whole
    else:
        score = 0.8 * whole
    return score * _agreement(asked, known)


def _without(name: str, commune: str) -> str:
    words = set(commune.split())
    return " ".join(word for word in name.split() if word not in words) or ""


def _agreement(asked: str, known: str) -> float:
    """Less than one when the two name different degrees."""
    factor = 1.0
    for kinds, cost in ((("ecole", "college", "lycee"), 0.67), (("maternelle", "elementaire"), 0.8)):
        mine, theirs = ({kind for kind in kinds if kind in text.split()} for text in (asked, known))
        if mine and theirs and not mine & theirs:
            factor *= cost
    return factor


@dataclass(slots=True)
class CommuneReference:
    """Communes by code, former codes and municipal arrondissements led to the current one."""

    communes: pl.DataFrame
    former: pl.DataFrame
    _names: dict[str, list[tuple[str, str, str]]] = field(default_factory=dict, repr=False)

    def known(self, values: pl.Series) -> pl.DataFrame:
        """See ``Reference.known``; an arrondissement is known and replaced by its city."""
        nothing = pl.lit(None, pl.Date).alias("closed_on")
        current = self.communes.select(pl.col("code").alias("value"), pl.lit(True).alias("known"), pl.lit(None, pl.String).alias("replaced_by"), nothing)
        gone = self.former.select(pl.col("code").alias("value"), pl.lit(True).alias("known"), pl.col("current").alias("replaced_by"), nothing)
        return _known(values, pl.concat([current, gone]).unique("value", keep="first", maintain_order=True))

    def attributes(self, values: pl.Series) -> pl.DataFrame:
        """``value, departement, name, commune, population``."""
        table = self.communes.select(pl.col("code").alias("value"), "departement", "name", pl.col("name").alias("commune"), "population")
        return pl.DataFrame({"value": values.cast(pl.String)}).join(table, on="value", how="left", maintain_order="left")

    def find(self, queries: pl.DataFrame) -> pl.DataFrame:
        """See ``Reference.find``: by name, narrowed by département or postal code."""
        if not self._names:
            rows = {code: (name, departement) for code, name, departement in self.communes.select("code", "name", "departement").iter_rows()}
            for code, (name, departement) in rows.items():
                self._names.setdefault(commune_key(name), []).append((code, name, departement))
            for old, code in self.former.select("name", "current").drop_nulls("name").iter_rows():
                known = self._names.setdefault(commune_key(old), [])
                if code in rows and code not in {entry[0] for entry in known}:
                    known.append((code, *rows[code]))
        answers: list[tuple[int, str, str, float]] = []
        for query in _queries(queries):
            key = commune_key(query.name) or query.commune
            near = process.extract(key, self._names.keys(), scorer=fuzz.ratio, score_cutoff=75, limit=_KEEP) if key not in self._names else [(key, 100.0, 0)]
            place = query.departement or commune_codes.departement_of(f"{query.postal_code}000"[:5])
            found = [
                (query.row, code, f"{name} ({departement})", float(score) if place in (None, departement) else score * 0.7)
                for match, score, _ in near
                for code, name, departement in self._names[match]
            ]
            answers += sorted(found, key=lambda item: (-item[3], item[1]))[:_KEEP]
        return _answers(answers)


@dataclass(slots=True)
class OrganisationReference:
    """Organisations by SIREN, SIRET or code of the register, and by name."""

    organisations: pl.DataFrame
    _names: dict[str, list[tuple[str, str, str]]] = field(default_factory=dict, repr=False)

    def known(self, values: pl.Series) -> pl.DataFrame:
        """See ``Reference.known``; a SIRET is known when its SIREN is."""
        codes = set(self.organisations["code"].to_list()) | set(self.organisations["siren"].drop_nulls().to_list())
        texts = [str(value) for value in values.to_list()]
        found = [text in codes or (len(text) == 14 and text[:9] in codes) for text in texts]
        return pl.DataFrame({"value": texts, "known": found, "replaced_by": None, "closed_on": None}, schema=KNOWN)

    def attributes(self, values: pl.Series) -> pl.DataFrame:
        """``value, departement, name, kind``."""
        table = self.organisations.select(pl.col("code").alias("value"), "departement", "name", "kind")
        return pl.DataFrame({"value": values.cast(pl.String)}).join(table, on="value", how="left", maintain_order="left")

    def find(self, queries: pl.DataFrame) -> pl.DataFrame:
        """See ``Reference.find``: by name, narrowed by département."""
        if not self._names:
            for code, name, departement in self.organisations.select("code", "name", "departement").iter_rows():
                self._names.setdefault(folded(name), []).append((code, name, departement or ""))
        answers: list[tuple[int, str, str, float]] = []
        for query in _queries(queries):
            near = process.extract(folded(query.name), self._names.keys(), scorer=fuzz.token_sort_ratio, score_cutoff=70, limit=_KEEP * 2)
            found = [
                (query.row, code, f"{name} ({departement})" if departement else name, float(score) if query.departement in (None, departement) else score * 0.8)
                for match, score, _ in near
                for code, name, departement in self._names[match]
            ]
            answers += sorted(found, key=lambda item: (-item[3], item[1]))[:_KEEP]
        return _answers(answers)


def _establishment(parts: Sequence[pl.DataFrame]) -> Reference:
    return EstablishmentReference(parts[0], parts[1])


def _commune(parts: Sequence[pl.DataFrame]) -> Reference:
    return CommuneReference(parts[0], parts[1])


def _organisation(parts: Sequence[pl.DataFrame]) -> Reference:
    return OrganisationReference(parts[0])


REGISTERS: dict[str, tuple[tuple[str, ...], Callable[[Sequence[pl.DataFrame]], Reference]]] = {
    "establishment": (("establishments", "former"), _establishment),
    "commune": (("communes", "former"), _commune),
    "organisation": (("organisations",), _organisation),
}


def snapshot_reference(cache: Path, name: str) -> Reference | None:
    """One register read from the snapshot in ``cache``; None when nothing was loaded, or nothing of that kind."""
    told = snapshot.pointed(cache)
    return _built(str(cache), told[0], name) if told else None


@lru_cache(maxsize=8)
def _built(cache: str, _folder: str, name: str) -> Reference | None:
    wanted, build = REGISTERS[name]
    parts = [snapshot.part(Path(cache), part) for part in wanted]
    if parts[0] is None or parts[0].height == 0:
        return None
    return build([part for part in parts if part is not None])


def snapshot_references(cache: Path) -> dict[str, Reference]:
    """Every register that holds something, by name: for ``check`` without a server."""
    found = {name: snapshot_reference(cache, name) for name in REGISTERS}
    return {name: register for name, register in found.items() if register is not None}
