"""The public files of the field, as published, are all read as the tables they are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from essaim.engines.intake.reading import read_file
from essaim.engines.intake.tables import FileRefused

ROOT = Path(os.environ.get("ESSAIM_DATA_DIR", ""))
pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not os.environ.get("ESSAIM_DATA_DIR"), reason="ESSAIM_DATA_DIR names no folder of public files"),
]

# path, rows, columns, header row, separator
FILES = (
    ("fragilite/arcep_commune_debit_beta_2019-09-30.csv.gz", 35_359, 14, 2, ";"),
    ("fragilite/inr_indice_fragilite_dep95_sans_entete_152col.csv.gz", 562, None, None, ";"),
    ("fragilite/insee_demo_qpv_2020.csv", 1_400, 32, 1, ";"),
    ("fragilite/pole_emploi_demandeurs_emploi_communes_2019.csv.gz", 1_181, 54, 1, ";"),
    ("ips/fr-en-ips_ecoles_2021-2022.csv.gz", 32_091, 10, 1, ";"),
    ("ips/fr-en-ips-ecoles-ap2022_2022-2023_libelles_bom_crlf.csv.gz", 30_059, 11, 1, ";"),
    ("effectifs/fr-en-college-effectifs-niveau-sexe-lv_2019-2023.parquet", 41_775, 80, 1, None),
    ("annuaire/fr-en-annuaire-education_dep35_2023.csv", 996, 66, 1, ";"),
    ("marches/decp_marches-publics.info_2019-03.json.gz", 4_509, None, 1, None),
    ("marches/scdl_subventions_exemple_valide.csv", 29, 16, 1, ","),
    ("tne/catalogue_data_education_gouv_fr_2026.csv", 281, 19, 1, ";"),
    ("imports_tordus/ma-cantine__purchases_bad_no_header.csv", 2, None, None, ","),
    ("imports_tordus/ma-cantine__purchases_good_separator_tab.tsv", 1, 12, 1, "\t"),
    ("imports_tordus/ma-cantine__purchases_bad_empty_rows.csv", 2, 12, 1, ","),
    ("imports_tordus/pilote__template_import_PILOTE.ods", 0, 6, 1, None),
    ("imports_tordus/pilote__referentiel_territoires.xlsx", 120, 2, 1, None),
)


@pytest.mark.parametrize(("path", "rows", "columns", "header_row", "separator"), FILES, ids=[f[0] for f in FILES])
def test_published_file(path, rows, columns, header_row, separator):
    """Rows, columns, header row and separator are those its editor meant."""
    result = read_file(ROOT / path, Path(path).name)
    (table,) = result.tables
    assert (table.frame.height, table.header_row, result.separator) == (rows, header_row, separator)
    assert columns is None or len(table.columns) == columns


def test_workbook_with_titles_and_a_notice_sheet():
    """Titles above the tables are left out and the sheet of prose is no table."""
    result = read_file(ROOT / "ips/Table-de-passage-IPS-PCS-2022.xlsx", "ips.xlsx")
    assert [(t.header_row, t.frame.height) for t in result.tables] == [(3, 1680), (3, 40)]


def test_encoding_and_empty_workbook():
    """A Latin-1 file is told; an empty spreadsheet is refused."""
    name = "ma-cantine__diagnostics_simple_good_encoding_iso-8859-1.csv"
    result = read_file(ROOT / "imports_tordus" / name, name)
    assert result.encoding == "cp1252" and "modèle_économique" in {c.header for c in result.tables[0].columns}
    with pytest.raises(FileRefused):
        read_file(ROOT / "imports_tordus/ma-cantine__diagnostics_bad_file_format.ods", "a.ods")
