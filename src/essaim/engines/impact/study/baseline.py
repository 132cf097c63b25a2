"""The ladder of baselines B1–B5 (EVALUATION §6): how much is known of the time before."""

from __future__ import annotations

from dataclasses import dataclass

LABELS = {
    "B1": "historique administratif d'au moins trois périodes avant",
    "B2": "entrants tardifs servant de comparaison",
    "B3": "situation initiale reconstituée par enquête rétrospective",
    "B4": "mesures après seulement, avec covariables",
    "B5": "aucune situation initiale",
}
ENOUGH = 3


@dataclass(frozen=True, slots=True)
class BaselineGrade:
    """Grade B1–B5, its meaning, and why (French sentences)."""

    grade: str
    meaning: str
    reasons: tuple[str, ...]

    @property
    def is_causal(self) -> bool:
        """A causal claim is allowed (all but B5)."""
        return self.grade != "B5"


def baseline_grade(*, source: str, periods_before: int, has_never_treated: bool, late_entrants: bool, has_covariates: bool,
                   response_shift_checked: bool = False) -> BaselineGrade:
    """Grade of what is known before treatment.

    ``periods_before``: periods observed before the *earliest* treated cohort; ``source``: administrative, survey, retrospective or none."""
    reasons: list[str] = [f"{periods_before} période(s) observée(s) avant la première vague"]
    if source == "retrospective":
        if response_shift_checked:
            reasons.append("changement de référence vérifié sur un sous-échantillon ayant un vrai pré-test")
            grade = "B3"
        else:
            reasons.append("changement de référence non vérifié : le pré-test rétrospectif ne compte pas")
            grade = "B4" if has_covariates else "B5"
    elif source == "none" or periods_before == 0:
        grade = "B4" if has_covariates else "B5"
        reasons.append("aucune mesure avant traitement")
    elif periods_before >= ENOUGH and source == "administrative" and has_never_treated:
        grade = "B1"
    elif late_entrants or has_never_treated:
        grade = "B2"
        reasons.append("moins de trois périodes avant, ou source non administrative : la comparaison tient par les unités "
                       "non encore traitées")
    else:
        grade = "B4" if has_covariates else "B5"
        reasons.append("aucune unité de comparaison non traitée")
    return BaselineGrade(grade, LABELS[grade], tuple(reasons))
