"""A school written on the first of its lines: asked once, then known."""

from essaim.engines.intake import check
from essaim.equipment.contracts import DELIVERIES
from intake.test_hard_files import workbook
from intake.understanding import uai

HEAD = ["UAI", "École", "Matériel", "Quantité", "Livré le"]
ROWS = [
    [uai(1), "École A", "Tablette", 3, "14/03/2022"], [None, None, "ENI", 1, "14/03/2022"], [None, None, "PC portable", 2, "15/03/2022"],
    [uai(2), "École B", "Tablette", 4, "14/03/2022"], [None, None, "ENI", 2, "16/03/2022"],
]  # fmt: skip


def understood(rows, **inputs):
    return check(workbook([HEAD, *rows]), "envoi.xlsx", DELIVERIES, **inputs)


def test_lines_without_school_are_asked_about_not_attributed():
    """Nothing is filled in silence; the answer fills, or leaves to complete, and is asked once."""
    asked = understood(ROWS)
    (question,) = asked.questions
    assert asked.rows.height == 2 and asked.refused.height == 3 and question.about == "A" and "ligne du dessus" in question.message
    yes = understood(ROWS, answers={question.id: "above"})
    assert yes.rows["uai"].to_list() == [uai(1)] * 3 + [uai(2)] * 2 and yes.status == "clean" and not yes.questions
    assert yes.rows["school_name"].to_list() == ["École A"] * 3 + ["École B"] * 2
    no = understood(ROWS, answers={question.id: ""})
    assert no.refused.height == 3 and not no.questions


def test_one_line_without_school_among_many_is_only_a_fault():
    """A cell forgotten once is no way of writing."""
    rows = [[uai(i), f"École {i}", "Tablette", i, "14/03/2022"] for i in range(1, 9)] + [[None, None, "ENI", 1, "14/03/2022"]]
    assert not understood(rows).questions and understood(rows).refused.height == 1


def test_a_line_that_names_its_school_keeps_it():
    """Lines that name none take the school above, even where its own UAI is missing."""
    rows = [ROWS[0], [None, "École C", "ENI", 1, "14/03/2022"], *ROWS[2:]]
    asked = understood(rows)
    filled = understood(rows, answers={asked.questions[0].id: "above"})
    assert filled.refused["school_name"].to_list() == ["École C", "École C"] and filled.rows["uai"].to_list() == [uai(1), uai(2), uai(2)]
