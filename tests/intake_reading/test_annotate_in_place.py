"""The sender's Excel workbook is marked in place: what is not concerned comes back as it was, whoever wrote it."""

from __future__ import annotations

import gzip
import io
import re
import struct
import warnings
import zipfile
import zlib

import openpyxl
import polars as pl
import pytest
import python_calamine
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from openpyxl.comments import Comment
from openpyxl.formatting.rule import ColorScaleRule
from openpyxl.styles import Border, Font, NamedStyle, PatternFill, Protection, Side

from essaim.engines.intake.annotate import annotate, annotated_name
from essaim.engines.intake.annotate.original_cells import Wanted, deselected, restyled, utf8
from essaim.engines.intake.annotate.original_styles import Styles
from essaim.engines.intake.reading import read_file
from essaim.engines.intake.tables import FileRefused, Limits, ReadFile

from .grids import HEADER, LINES, SUMMARY, issues, package, workbook
from .soundness import faults, part, relations

SPREADSHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
STRICT = "http://purl.oclc.org/ooxml/spreadsheetml/main"
NO_SUMMARY = pl.DataFrame(schema=SUMMARY)
RED, AMBER, BLUE = "FFFFC7CE", "FFFFE699", "FFDDEBF7"


def bad(place: str, message: str = "faute", severity: str = "blocking", sheet: str = "Envoi"):
    letters, row = re.fullmatch(r"([A-Z]*)(\d+)", place).groups()
    return ("x", severity, sheet, int(row), letters or None, "champ", "?", None, None, message)


def marked(content: bytes, *found, macros: bool = False) -> bytes:
    """The workbook given back, which no spreadsheet would want to repair."""
    read = ReadFile("a.xlsx", "xlsm" if macros else "xlsx", ())
    out = annotate(content, "a.xlsx", read, issues(*found), NO_SUMMARY, title="Contrôle")
    assert faults(out) == []
    return out


def opened(content: bytes):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return openpyxl.load_workbook(io.BytesIO(content), rich_text=True)


def parts(content: bytes) -> dict[str, bytes]:
    archive = zipfile.ZipFile(io.BytesIO(content))
    return {name: archive.read(name) for name in archive.namelist()}


def rezipped(found: dict[str, bytes]) -> bytes:
    """A package of these parts."""
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w") as archive:
        for name, text in found.items():
            archive.writestr(name, text)
    return output.getvalue()


def picture() -> io.BytesIO:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    return io.BytesIO(b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0\0\0\0")) + chunk(b"IEND", b""))


def full_workbook() -> bytes:
    """Charts, sparklines, data bars, a picture, a text box, a button, a header image, a table, a chart sheet, protection."""
    output = io.BytesIO()
    book = xlsxwriter.Workbook(output)
    sheet, other, hidden = (book.add_worksheet(name) for name in ("Envoi", "Autre", "Cachée"))
    sheet.set_column("C:C", 30, book.add_format({"num_format": "@"}))
    sheet.write_row(0, 0, HEADER)
    for row in range(1, 21):
        sheet.write_row(row, 0, (f"035{row:04d}A", f"École {row}"))
        sheet.write(row, 3, row, book.add_format({"num_format": "#,##0.00", "border": 1, "italic": True}))
        sheet.write_formula(row, 4, f"=D{row + 1}*2", None, row * 2)
    sheet.write_comment("A3", "vu avec la mairie", {"author": "Mairie"})
    sheet.conditional_format("D2:D21", {"type": "data_bar", "data_bar_2010": True})
    sheet.data_validation("C2:C21", {"validate": "list", "source": ["VPI", "ENI"]})
    sheet.merge_range("G2:H3", "fusion")
    sheet.autofilter("A1:E21")
    sheet.print_area("A1:E21")
    chart = book.add_chart({"type": "column"})
    chart.add_series({"values": "=Envoi!$D$2:$D$21"})
    sheet.insert_chart("J2", chart)
    sheet.insert_textbox("J20", "un texte")
    sheet.insert_button("J25", {"caption": "Calculer"})
    sheet.insert_image("L2", "a.png", {"image_data": picture()})
    sheet.set_header("&L&G", {"image_left": "a.png", "image_data_left": picture()})
    sheet.add_sparkline("I2", {"range": "Envoi!D2:D10"})
    sheet.protect()
    other.add_table("A1:B3", {"columns": [{"header": "x"}, {"header": "y"}]})
    other.activate()
    sheet.select()
    hidden.hide()
    alone = book.add_chart({"type": "pie"})
    alone.add_series({"values": "=Envoi!$D$2:$D$5"})
    book.add_chartsheet("Graphe").set_chart(alone)
    book.define_name("Autre!proche", "=Autre!$A$1")
    book.close()
    return output.getvalue()


# -- what is not concerned -------------------------------------------------------------------------------------------


def test_every_part_not_concerned_comes_back_byte_for_byte():
    """Charts, pictures, text boxes, header images, tables, shared strings, theme: the same bytes under the same names."""
    content = full_workbook()
    before, after = parts(content), parts(marked(content, bad("A2"), bad("C6"), bad("E4", severity="notice")))
    changed = {name for name in before if before[name] != after.get(name)}
    assert changed == {
        "[Content_Types].xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/styles.xml", "xl/worksheets/sheet1.xml",
        "xl/worksheets/sheet2.xml", "xl/comments1.xml", "xl/drawings/vmlDrawing1.vml",
    }  # fmt: skip
    assert set(after) - set(before) == {"xl/worksheets/sheet4.xml"}


def test_in_a_marked_sheet_only_the_marked_cells_change():
    """Taking our styles and our new cell away from the XML gives the sender's back, data bars, filters and sparklines included."""
    content = full_workbook()
    before = parts(content)["xl/worksheets/sheet1.xml"].decode()
    after = parts(marked(content, bad("A2"), bad("C6")))["xl/worksheets/sheet1.xml"].decode()
    assert re.search('<c r="C6" s="\\d+"/>', after)
    after = re.sub('<c r="C6" s="\\d+"/>', "", after).replace(re.search('<c r="A2" s="(\\d+)"', after).group(), '<c r="A2"')
    before = before.replace(' tabSelected="1"', "").replace('<row r="6" spans="1:7"', '<row r="6"')
    assert after == before


def test_a_button_and_its_sheet_keep_their_drawing():
    """Comments join the legacy drawing that holds the button, under identifiers of their own."""
    content = full_workbook()
    given_back = parts(marked(content, bad("B9")))
    before, after = (found["xl/drawings/vmlDrawing1.vml"].decode() for found in (parts(content), given_back))
    button = re.search('<v:shape id="_x0000_s1025".*?</v:shape>', before).group()
    assert button in after and after.count("<v:shapetype") == before.count("<v:shapetype")
    drawings = b"".join(text for name, text in given_back.items() if name.endswith(".vml")).decode()
    new = re.search(r'idmap v:ext="edit" data="1,(\d+)"', after).group(1)
    assert len(re.findall(rf'idmap v:ext="edit" data="(?:\d+,)*{new}"', drawings)) == 1


def test_identifiers_are_free_even_when_a_drawing_does_not_say_which_it_uses():
    """Two shapes with one identifier would have the comments removed."""
    found, name = parts(full_workbook()), "xl/drawings/vmlDrawing1.vml"
    silent = {key: re.sub(rb"<o:shapelayout.*?</o:shapelayout>", b"", text) for key, text in found.items()}
    out = parts(marked(rezipped(silent), bad("B9")))
    assert b'id="_x0000_s1025"' in silent[name] and b"<o:idmap" in out[name]


def test_a_drawing_that_is_not_quite_xml_is_kept():
    """Spreadsheets leave line breaks open in the captions they write."""
    found, name = parts(full_workbook()), "xl/drawings/vmlDrawing1.vml"
    content = rezipped(found | {name: found[name].replace(b"Calculer", b"Calculer<br>tout")})
    out = annotate(content, "a.xlsx", ReadFile("a.xlsx", "xlsx", ()), issues(bad("B9")), NO_SUMMARY, title="C")
    assert b"Calculer<br>tout" in parts(out)[name] and b"<x:Row>8</x:Row><x:Column>1</x:Column>" in parts(out)[name]


def test_the_workbook_opens_on_the_anomalies_and_names_follow_their_sheets():
    """Names that belong to a sheet still do, now that it is one further; two sheets are never selected together."""
    book = opened(marked(full_workbook(), bad("A2")))
    assert book.sheetnames == ["Anomalies", "Envoi", "Autre", "Cachée", "Graphe"] and book.active.title == "Anomalies"
    assert book["Envoi"].print_area == "'Envoi'!$A$1:$E$21" and "proche" in book["Autre"].defined_names
    assert [sheet.sheet_view.tabSelected or False for sheet in book.worksheets] == [True, False, False, False]
    assert book["Cachée"].sheet_state == "hidden"


def test_a_workbook_without_any_issue_is_given_back_with_its_sheet_of_anomalies_only():
    """Nothing to mark: the sheets of the sender are not rewritten, but for the one that was selected."""
    content = workbook(("Envoi", [HEADER, *LINES]), ("Autre", [("a", "b")]))
    before, after = parts(content), parts(marked(content))
    assert before["xl/worksheets/sheet2.xml"] == after["xl/worksheets/sheet2.xml"]
    assert opened(marked(content))["Envoi"]["A2"].value == LINES[0][0]


def test_macros_and_what_no_library_knows_survive():
    """A macro project, slicers, custom XML, parts of unknown types: kept; the type says macros when there are."""
    extra = {"xl__vbaProject.bin": b"\x00macro", "xl__slicers__slicer1_xml": b"<slicers/>", "customXml__item1_xml": b"<a/>"}
    content = package(workbook(("Envoi", [HEADER, *LINES])), **extra)
    types = parts(content)["[Content_Types].xml"].replace(b"<Default", b'<Default Extension="bin" ContentType="application/vnd.ms-office.vbaProject"/><Default', 1)
    after = parts(marked(package(content, **{"[Content_Types]_xml": types}), bad("A2"), macros=True))
    assert after["xl/vbaProject.bin"] == b"\x00macro" and after["xl/slicers/slicer1.xml"] == b"<slicers/>" and "customXml/item1.xml" in after
    assert b"sheet.macroEnabled.main+xml" in after["[Content_Types].xml"]


def test_an_archive_written_as_a_stream_is_written_anew_without_it():
    """Sizes after each part, as programs that cannot go back write: copied parts have theirs before, as spreadsheets like."""

    class Stream(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def tell(self):
            raise io.UnsupportedOperation

    output = Stream()
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts(full_workbook()).items():
            archive.writestr(name, text)
    content = output.getvalue()
    assert any("as a stream" in fault for fault in faults(content))
    assert parts(marked(content, bad("A2")))["xl/charts/chart1.xml"] == parts(content)["xl/charts/chart1.xml"]


def test_pivot_caches_and_extensions_of_the_workbook_stay_in_their_order():
    """The name we add goes before the calculation settings; what follows is not moved."""
    found = parts(workbook(("Envoi", [HEADER, *LINES])))
    relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    kept = f'<pivotCaches><pivotCache cacheId="1" r:id="rP" xmlns:r="{relation}"/></pivotCaches><extLst><ext uri="{{x}}"/></extLst></workbook>'.encode()
    related = found["xl/_rels/workbook.xml.rels"].replace(b"</Relationships>", f'<Relationship Id="rP" Type="{relation}/pivotCacheDefinition" Target="pivotCache/cache1.xml"/></Relationships>'.encode())
    book = re.sub(rb"<definedNames ?/>", b"", found["xl/workbook.xml"]).replace(b"</workbook>", kept)
    out = parts(marked(rezipped(found | {"xl/workbook.xml": book, "xl/_rels/workbook.xml.rels": related, "xl/pivotCache/cache1.xml": b"<pivotCacheDefinition/>"}), bad("A2")))
    assert out["xl/pivotCache/cache1.xml"] == b"<pivotCacheDefinition/>" and b'cacheId="1"' in out["xl/workbook.xml"]
    assert out["xl/workbook.xml"].index(b"<definedNames>") < out["xl/workbook.xml"].index(b"<calcPr")


def test_what_our_marks_make_untrue_is_left_out():
    """A signature of other bytes and the history of a shared workbook would have the file refused or repaired."""
    found = parts(workbook(("Envoi", [HEADER, *LINES])))

    def more(name: str, identifier: str, kind: str, target: str) -> dict[str, bytes]:
        told = f'<Relationship Id="{identifier}" Type="http://schemas.openxmlformats.org/{kind}" Target="{target}"/></Relationships>'
        return {name: found[name].replace(b"</Relationships>", told.encode())}

    types = found["[Content_Types].xml"].replace(b"<Default", b'<Default Extension="sigs" ContentType="application/vnd.openxmlformats-package.digital-signature-origin"/><Default', 1)
    signed = rezipped(
        found
        | more("_rels/.rels", "rSig", "package/2006/relationships/digital-signature/origin", "_xmlsignatures/origin.sigs")
        | more("xl/_rels/workbook.xml.rels", "rRev", "officeDocument/2006/relationships/revisionHeaders", "revisions/revisionHeaders.xml")
        | {"[Content_Types].xml": types, "_xmlsignatures/origin.sigs": b" ", "xl/revisions/revisionHeaders.xml": b"<headers/>"}
    )
    after = parts(marked(signed, bad("A2")))
    assert not {"_xmlsignatures/origin.sigs", "xl/revisions/revisionHeaders.xml"} & set(after)
    assert b"rSig" not in after["_rels/.rels"] and b"rRev" not in after["xl/_rels/workbook.xml.rels"]


# -- styles ----------------------------------------------------------------------------------------------------------


def dressed(book) -> None:
    sheet = book["Envoi"]
    book.add_named_style(NamedStyle("Maison", font=Font(name="Arial", italic=True)))
    sheet["A2"].style = "Maison"
    sheet["B2"].fill, sheet["B2"].border = PatternFill("solid", fgColor="FF00FF00"), Border(left=Side("thick"))
    sheet["D2"].number_format, sheet["D2"].protection = "0.00 %", Protection(locked=False)
    sheet["D3"].number_format = "0.00 %"
    sheet.conditional_formatting.add("D2:D9", ColorScaleRule(start_type="min", start_color="FF0000", end_type="max", end_color="00FF00"))


def test_a_marked_cell_keeps_all_of_its_style_but_its_colour():
    """Named style, font, border, number format and protection are the cell's own."""
    sheet = opened(marked(workbook(("Envoi", [HEADER, *LINES]), prepare=dressed), bad("A2"), bad("B2"), bad("D2", severity="warning")))["Envoi"]
    assert sheet["A2"].style == "Maison" and sheet["A2"].font.name == "Arial" and sheet["A2"].fill.fgColor.rgb == RED
    assert sheet["B2"].border.left.style == "thick" and sheet["B2"].fill.fgColor.rgb == RED
    assert sheet["D2"].number_format == "0.00 %" and not sheet["D2"].protection.locked and sheet["D2"].fill.fgColor.rgb == AMBER
    assert sheet["D3"].fill.fill_type is None


def test_a_hundred_marks_of_the_same_look_make_one_style():
    """The style sheet does not grow with the faults, nor from one annotation to the next."""
    content = workbook(("Envoi", [HEADER, *LINES * 40]))
    count = [len(opened(c)._cell_styles) for c in (content, marked(content, bad("A2")), marked(content, *(bad(f"A{row}") for row in range(2, 102))))]
    assert count[1] == count[2]
    once = marked(content, bad("A2"))
    assert len(opened(marked(marked(once, bad("A2")), bad("A2")))._cell_styles) == len(opened(once)._cell_styles)
    assert b'<c r="A2" s="0"' in parts(marked(once))["xl/worksheets/sheet1.xml"]


def test_a_workbook_with_as_many_styles_as_it_may_hold_gets_none_more():
    """One more, and spreadsheets would refuse it: the list and the comments still tell."""
    formats = '<xf numFmtId="0"/>' * 64_000
    styles = Styles(etree.fromstring(f'<styleSheet xmlns="{SPREADSHEET}"><cellXfs>{formats}</cellXfs></styleSheet>'))
    assert styles.marked(3, "blocking") == 3


def test_a_workbook_without_style_sheet_is_given_one():
    """Some programs write none."""
    found = parts(workbook(("Envoi", [HEADER, *LINES])))
    types = re.sub(rb'<Override[^>]*styles\+xml"[^>]*/>', b"", found["[Content_Types].xml"])
    related = re.sub(rb'<Relationship [^>]*/styles"[^>]*/>', b"", found["xl/_rels/workbook.xml.rels"])
    del found["xl/styles.xml"]
    bare = rezipped(found | {"[Content_Types].xml": types, "xl/_rels/workbook.xml.rels": related})
    assert opened(marked(bare, bad("A2")))["Envoi"]["A2"].fill.fgColor.rgb == RED


# -- places ----------------------------------------------------------------------------------------------------------


def written(rows: str, *, around: str = "{}", namespace: str = SPREADSHEET, before: str = "", after: str = "") -> bytes:
    """A workbook whose sheet « Envoi » holds these rows as they are written."""
    xml = around.format(f'<worksheet xmlns="{namespace}">{before}<sheetData>{rows}</sheetData>{after}</worksheet>')
    return package(workbook(("Envoi", [("a",)])), xl__worksheets__sheet1_xml=xml.encode())


def colours(content: bytes) -> dict[str, str]:
    """Coloured cells of the sheet and their colours."""
    return {
        cell.coordinate: cell.fill.fgColor.rgb for row in opened(content)["Envoi"].iter_rows() for cell in row if cell.fill.fill_type == "solid"
    }


def number(place: str, style: str = "") -> str:
    return f'<c r="{place}"{style}><v>1</v></c>'


def test_cells_and_rows_that_are_not_there_are_made_at_their_place():
    """Blank required cells: before, between and after others, in rows that are empty, absent or last."""
    rows = f'<row r="2" spans="2:4">{number("B2")}{number("D2")}</row><row r="4"/><row r="6">{number("B6")}</row>'
    places = ("A2", "C2", "E2", "B4", "A1", "C5", "A9")
    out = marked(written(rows, before='<dimension ref="B2:D6"/>'), *map(bad, places))
    assert set(colours(out)) == set(places) and b'<dimension ref="A1:E9"/>' in parts(out)["xl/worksheets/sheet1.xml"]
    assert [opened(out)["Envoi"][place].value for place in ("B2", "D2", "B6")] == [1, 1, 1]


def test_an_empty_sheet_may_be_marked():
    """Even without any cell."""
    content = package(workbook(("Envoi", [("a",)])), xl__worksheets__sheet1_xml=f'<worksheet xmlns="{SPREADSHEET}"><sheetData/></worksheet>'.encode())
    assert set(colours(marked(content, bad("B3")))) == {"B3"}


def test_a_cell_made_has_the_look_of_its_row_or_column():
    """As spreadsheets do: a code typed into a text column stays text."""
    content = workbook(("Envoi", [HEADER, *LINES]), prepare=dressed)
    styled = parts(content)["xl/worksheets/sheet1.xml"].replace(b"<sheetData>", b'<cols><col min="7" max="8" width="9" style="1"/></cols><sheetData>')
    styled = re.sub(rb"<cols>.*?</cols>(?=<cols>)", b"", styled).replace(b'<row r="3"', b'<row r="3" s="2" customFormat="1"')
    before = opened(content)
    out = opened(marked(package(content, xl__worksheets__sheet1_xml=styled), bad("G2"), bad("G3")))["Envoi"]
    for cell, style in ((out["G2"], before._cell_styles[1]), (out["G3"], before._cell_styles[2])):
        assert (cell._style.numFmtId, cell._style.fontId, cell._style.borderId) == (style.numFmtId, style.fontId, style.borderId)


def test_rows_and_cells_without_reference_are_counted():
    """Some programs leave references out: the next row, the next cell."""
    rows = "<row><c><v>1</v></c><c><v>2</v></c></row><row r='5'><c r='C5'><v>3</v></c><c><v>4</v></c></row><row><c><v>5</v></c></row>"
    assert set(colours(marked(written(rows), bad("B1"), bad("D5"), bad("A6")))) == {"B1", "D5", "A6"}


def test_prefixes_quotes_comments_and_inline_strings_are_understood():
    """XML written in other ways says the same."""
    xml = (
        f"<?xml version='1.0' encoding='UTF-8'?><!-- <c r='A1'/> --><x:worksheet xmlns:x='{SPREADSHEET}'><x:sheetData><x:row r = '1' ><!-- a > b -->"
        "<x:c r='A1' t='inlineStr'><x:is><x:t>a &gt; <![CDATA[<c r='B1'>]]></x:t></x:is></x:c><x:c t=\"n\" s = '0' r=\"B1\"\n><x:v>2</x:v></x:c></x:row></x:sheetData></x:worksheet>"
    )
    out = marked(package(workbook(("Envoi", [("a",)])), xl__worksheets__sheet1_xml=xml.encode()), bad("A1"), bad("B1"), bad("D1"), bad("A7"))
    assert set(colours(out)) == {"A1", "B1", "D1", "A7"}
    assert opened(out)["Envoi"]["A1"].value == "a > <c r='B1'>" and opened(out)["Envoi"]["B1"].value == 2


def test_a_workbook_whose_every_part_has_prefixes_is_marked_and_repaired():
    """As some libraries write: styles, list of sheets, cells and comments are found all the same."""

    def prefixed(name: str, text: bytes) -> bytes:
        if not name.startswith("xl/") or SPREADSHEET.encode() not in text:
            return text
        return re.sub(rb"<(/?)([A-Za-z])", rb"<\1x:\2", text).replace(b'xmlns="', b'xmlns:x="')

    plain = workbook(("Envoi", [HEADER, *LINES]), prepare=lambda book: setattr(book["Envoi"]["A2"], "comment", Comment("vu", "Mairie")))
    out = marked(rezipped({name: prefixed(name, text) for name, text in parts(plain).items()}), bad("A2", "la faute"), bad("G9"))
    assert b"<x:cellXfs" in parts(out)["xl/styles.xml"] and b"<x:sheetData" in parts(out)["xl/worksheets/sheet1.xml"]
    assert colours(out) == {"A2": RED, "G9": RED} and "la faute" in opened(out)["Envoi"]["A2"].comment.text
    assert colours(marked(out)) == {} and opened(marked(out))["Envoi"]["A2"].comment.text == "vu"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1"])
def test_a_sheet_may_be_written_in_any_encoding(encoding):
    """Places are counted in bytes: a sheet in another encoding is written anew in UTF-8."""
    name = {"utf-8-sig": "utf-8"}.get(encoding, encoding)
    xml = f"<?xml version='1.0' encoding='{name}'?><worksheet xmlns='{SPREADSHEET}'><sheetData><row r='1'><c r='A1' t='inlineStr'><is><t>é</t></is></c><c r='B1'/></row></sheetData></worksheet>"
    out = marked(package(workbook(("Envoi", [("a",)])), xl__worksheets__sheet1_xml=xml.encode(encoding)), bad("B1"))
    assert set(colours(out)) == {"B1"} and opened(out)["Envoi"]["A1"].value == "é"


def test_the_strict_dialect_stays_strict():
    """Every part we write speaks the dialect of the workbook, relationships included."""
    content = parts(workbook(("Envoi", [HEADER, *LINES])))
    office, strict = "http://schemas.openxmlformats.org/officeDocument/2006/relationships", "http://purl.oclc.org/ooxml/officeDocument/relationships"
    told = {name: text.replace(SPREADSHEET.encode(), STRICT.encode()).replace(office.encode(), strict.encode()) for name, text in content.items()}
    out = marked(rezipped(told), bad("A2"), bad("G2"))
    written_now = parts(out)
    assert not [name for name, text in written_now.items() if name.startswith("xl/") and (SPREADSHEET.encode() in text or office.encode() in text)]
    assert b'<c r="G2" s="' in written_now["xl/worksheets/sheet1.xml"]
    assert python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(out)).sheet_names == ["Anomalies", "Envoi"]


def test_the_comments_are_referred_to_where_the_schema_wants_them():
    """After the drawing, before header images, controls, tables and extensions, whichever there are, and alternatives too."""
    compatible = "http://schemas.openxmlformats.org/markup-compatibility/2006"
    for after in (
        "",
        '<pageMargins left="1" right="1" top="1" bottom="1" header="0" footer="0"/>',
        '<pageMargins left="1" right="1" top="1" bottom="1" header="0" footer="0"/><extLst/>',
        f'<mc:AlternateContent xmlns:mc="{compatible}"><mc:Choice Requires="x14"/></mc:AlternateContent><extLst/>',
    ):
        out = marked(written(f'<row r="1">{number("A1")}</row>', after=after), bad("A1"))
        children = [child.tag.split("}")[1] for child in part(zipfile.ZipFile(io.BytesIO(out)), "xl/worksheets/sheet1.xml")]
        late = [name for name in children if name in ("AlternateContent", "extLst")]
        assert children[children.index("legacyDrawing") + 1 :] == late


def test_marks_that_meet_on_one_cell_are_joined():
    """A whole row, its first cell and the cells merged with it: the worst colour, every message."""
    content = workbook(("Envoi", [HEADER, *LINES]), merges=("A2:B2",))
    found = (bad("2", "la ligne", "notice"), bad("A2", "la cellule"), bad("B2", "sous la fusion", "warning"))
    sheet = opened(marked(content, *found))["Envoi"]
    assert sheet["A2"].fill.fgColor.rgb == RED
    assert all(text in sheet["A2"].comment.text for text in ("la ligne", "la cellule", "sous la fusion"))


def test_the_mark_of_a_row_is_in_the_first_column_of_the_sheet():
    """A table that begins at C has nothing to show in A."""
    rows = f'<row r="1">{number("C1")}</row><row r="2">{number("D2")}</row>'
    assert set(colours(marked(written(rows), bad("2")))) == {"C2"}


def test_places_outside_of_a_sheet_are_only_listed():
    """No spreadsheet holds such a cell."""
    content = workbook(("Envoi", [HEADER, *LINES]))
    assert colours(marked(content, bad("A1048577"), bad("XFE2"), bad("A2", sheet="Ailleurs"))) == {}


@settings(deadline=None, max_examples=40)
@given(st.sets(st.tuples(st.integers(1, 9), st.integers(1, 9))), st.dictionaries(st.tuples(st.integers(1, 11), st.integers(1, 11)), st.sampled_from(("blocking", "warning", "notice")), min_size=1))
def test_whatever_the_holes_the_marks_fall_right_and_the_cells_stay(filled, marks):
    """Marked cells have their colour, no other has one, and no value moves."""
    held: dict[int, list[int]] = {}
    for row, column in sorted(filled):
        held.setdefault(row, []).append(column)
    rows = "".join(f'<row r="{row}">{"".join(number(f"{chr(64 + c)}{row}") for c in columns)}</row>' for row, columns in held.items())
    found = {f"{chr(64 + column)}{row}": severity for (row, column), severity in marks.items()}
    out = marked(written(rows), *(bad(place, severity=severity) for place, severity in found.items()))
    assert colours(out) == {place: {"blocking": RED, "warning": AMBER, "notice": BLUE}[severity] for place, severity in found.items()}
    values = {(cell.row, cell.column) for row in opened(out)["Envoi"].iter_rows() for cell in row if cell.value is not None}
    assert values == filled


# -- comments --------------------------------------------------------------------------------------------------------


def test_the_words_of_a_comment_keep_their_looks():
    """Ours are put above; bold words of the sender stay bold, and come back alone once the fault is repaired."""
    content = workbook(("Envoi", [HEADER, *LINES]), prepare=lambda book: setattr(book["Envoi"]["A2"], "comment", Comment("vu", "Mairie")))
    name = next(name for name in parts(content) if "comment" in name and name.endswith(".xml"))
    own = '<text><r><rPr><b/></rPr><t>vu </t></r><r><t xml:space="preserve">avec la mairie</t></r></text>'
    rich = re.sub("<text>.*</text>", own, parts(content)[name].decode()).encode()
    once = marked(rezipped(parts(content) | {name: rich}), bad("A2", "le vôtre"))
    assert "le vôtre" in opened(once)["Envoi"]["A2"].comment.text and b"<b/></rPr><t>vu </t>" in parts(once)[name]
    clean = marked(once)
    assert own.encode() in parts(clean)[name]


def test_comments_that_are_all_gone_leave_nothing_behind():
    """A repaired workbook has no list of comments nor any box of ours left."""
    content = workbook(("Envoi", [HEADER, *LINES]))
    clean = marked(marked(content, bad("A2"), bad("G7")))
    archive = zipfile.ZipFile(io.BytesIO(clean))
    assert not [kind for kind, _ in relations(archive, "xl/worksheets/sheet1.xml").values() if kind == "comments"]
    assert b"ObjectType" not in b"".join(text for name, text in parts(clean).items() if name.endswith(".vml"))
    assert colours(clean) == {}


def test_the_box_of_a_comment_grows_with_what_is_written_in_it():
    """A note of one line now holds several: its box is as large as ours would be."""
    content = full_workbook()
    before, after = (
        [int(n) for n in re.search(r"<x:Anchor>([^<]*)</x:Anchor><x:AutoFill>False</x:AutoFill><x:Row>2<", parts(c)["xl/drawings/vmlDrawing1.vml"].decode()).group(1).split(",")]
        for c in (content, marked(content, bad("A3", "une phrase longue " * 10)))
    )
    assert after[:4] == before[:4] and after[6] >= before[6] and after[4] > before[4]


def test_two_thousand_comments_have_boxes_of_different_numbers():
    """More than a block of identifiers holds; beyond, cells are coloured only."""
    content = workbook(("Envoi", [HEADER, *LINES * 700]))
    out = marked(content, *(bad(f"A{row}") for row in range(2, 2092)))
    assert len(re.findall(b"<comment ", next(text for name, text in parts(out).items() if name.startswith("xl/comments")))) == 2000
    assert len(colours(out)) == 2090


def test_a_thread_of_comments_is_kept():
    """The thread is not touched; its plain copy, which older spreadsheets show, says ours too."""
    content = workbook(("Envoi", [HEADER, *LINES]), prepare=lambda book: setattr(book["Envoi"]["A2"], "comment", Comment("[Threaded comment] vu", "tc={1}")))
    thread = {"xl/threadedComments/threadedComment1.xml": b"<ThreadedComments/>"}
    sheet = "xl/worksheets/_rels/sheet1.xml.rels"
    kind = "http://schemas.microsoft.com/office/2017/10/relationships/threadedComment"
    related = parts(content)[sheet].replace(b"</Relationships>", f'<Relationship Id="rT" Type="{kind}" Target="/{next(iter(thread))}"/></Relationships>'.encode())
    out = marked(rezipped(parts(content) | thread | {sheet: related}), bad("A2", "la faute"))
    comment = opened(out)["Envoi"]["A2"].comment
    assert comment.author == "tc={1}" and "la faute" in comment.text and parts(out)["xl/threadedComments/threadedComment1.xml"] == b"<ThreadedComments/>"


# -- again -----------------------------------------------------------------------------------------------------------


def test_a_repaired_workbook_loses_the_colours_of_cells_without_comment_too():
    """The earlier list says which cells were ours; a colour of the sender's that looks like ours stays elsewhere."""

    def alike(book) -> None:
        book["Envoi"]["B2"].fill = PatternFill("solid", fgColor=RED)

    content = workbook(("Envoi", [HEADER, *LINES * 700]), prepare=alike)
    once = marked(content, *(bad(f"A{row}") for row in range(2, 2092)))
    assert colours(marked(once)) == {"B2": RED}
    assert colours(marked(once, bad("A2091", severity="notice"))) == {"B2": RED, "A2091": BLUE}


def test_a_workbook_made_of_a_text_file_is_repaired_in_place_too():
    """Given back as a workbook, it is an ordinary one: sent again, it loses our marks."""
    text = b"uai;n\n" + b"0350001A;?\n" * 4
    read = read_file(text, "Envoi.csv")
    made = annotate(text, "Envoi.csv", read, issues(bad("B2"), bad("A3")), NO_SUMMARY, title="C")
    assert set(colours(made)) == {"B2", "A3"}
    again = marked(made, bad("B4"))
    assert colours(again) == {"B4": RED} and opened(again).sheetnames == ["Anomalies", "Envoi"]
    assert [cell.coordinate for row in opened(again)["Envoi"].iter_rows() for cell in row if cell.comment] == ["B4"]


def test_a_spreadsheet_that_forgets_authors_does_not_make_our_words_the_senders():
    """Our own comment, told by the earlier list, is replaced; the sender's words beside it, or in its place, are not."""
    content = workbook(("Envoi", [HEADER, *LINES]), prepare=lambda book: setattr(book["Envoi"]["B2"], "comment", Comment("Bloquant : à voir", " ")))
    once = marked(content, bad("A2", "la faute"), bad("A3", "l'autre"))
    name = next(name for name in parts(once) if name.startswith("xl/comments"))
    forgotten = parts(once)[name].replace(b"Essaim", b" ").replace(b"Bloquant : l'autre", b"fait lundi")
    sheet = opened(marked(rezipped(parts(once) | {name: forgotten}), bad("A2", "la faute")))["Envoi"]
    assert [sheet[place].comment.text for place in ("A2", "A3", "B2")] == ["Bloquant : la faute", "fait lundi", "Bloquant : à voir"]


def test_a_sheet_of_the_sender_called_anomalies_is_kept():
    """Only the mark tells ours; its name is then taken, and names that follow it stay right."""
    content = workbook(("Anomalies", [("à moi",)]), ("Envoi", [HEADER, *LINES]), ("Anomalies Essaim", [("aussi",)]))
    book = opened(marked(content, bad("A2")))
    assert book.sheetnames == ["Anomalies Essaim 2", "Anomalies", "Envoi", "Anomalies Essaim"] and book["Anomalies"]["A1"].value == "à moi"
    assert opened(marked(marked(content, bad("A2")))).sheetnames == book.sheetnames


def test_names_stay_right_when_the_earlier_sheet_goes():
    """It was first, or was moved: each name still belongs to its sheet."""

    def moved(book) -> None:
        book.move_sheet("Anomalies", 1)

    output = io.BytesIO()
    book = opened(marked(full_workbook(), bad("A2")))
    moved(book)
    book.save(output)
    again = opened(marked(output.getvalue(), bad("A2")))
    assert again.sheetnames[:3] == ["Anomalies", "Envoi", "Autre"] and again["Envoi"].print_area == "'Envoi'!$A$1:$E$21"
    assert "proche" in again["Autre"].defined_names


def test_the_order_of_calculation_goes_with_the_earlier_sheet_only():
    """It names sheets by their number, which ours does not change; one that is gone would have it repaired."""
    found, name = parts(full_workbook()), "xl/_rels/workbook.xml.rels"
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/calcChain"
    related = found[name].replace(b"</Relationships>", f'<Relationship Id="rC" Type="{kind}" Target="calcChain.xml"/></Relationships>'.encode())
    chain = {"xl/calcChain.xml": f'<calcChain xmlns="{SPREADSHEET}"><c r="E2" i="1"/></calcChain>'.encode()}
    once = marked(rezipped(found | chain | {name: related}), bad("A2"))
    assert parts(once)["xl/calcChain.xml"] == chain["xl/calcChain.xml"] and b'name="Envoi" sheetId="1"' in parts(once)["xl/workbook.xml"]
    assert "xl/calcChain.xml" not in parts(marked(once))


def test_what_is_said_of_a_part_that_goes_goes_with_it():
    """LibreOffice states the type of every list of relationships, that of our earlier sheet too."""
    found = parts(marked(workbook(("Envoi", [HEADER, *LINES])), bad("A2")))
    sheet = next(name for name, text in found.items() if b"essaim:anomalies" in text)
    related = sheet.replace("worksheets/", "worksheets/_rels/") + ".rels"
    told = f'<Override PartName="/{related}" ContentType="application/vnd.openxmlformats-package.relationships+xml"/></Types>'.encode()
    types = {"[Content_Types].xml": found["[Content_Types].xml"].replace(b"</Types>", told)}
    empty = {related: b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"/>'}
    assert related not in parts(marked(rezipped(found | types | empty)))


def test_the_workbook_given_back_is_read_like_the_one_sent():
    """By the reader, and by two other libraries."""
    content = full_workbook()
    out = marked(content, bad("A2"), bad("C6"))
    before, after = read_file(content, "a.xlsx").tables, read_file(out, "a.xlsx").tables
    assert [table.frame.equals(other.frame) for table, other in zip(before, after, strict=True)] == [True] * len(before)
    held = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(out))
    assert held.get_sheet_by_name("Envoi").to_python()[1][0] == "0350001A"


def test_a_compressed_workbook_comes_back_marked():
    """A workbook sent as .xlsx.gz is read; it is given back as .xlsx."""
    content = gzip.compress(workbook(("Envoi", [HEADER, *LINES])))
    read = read_file(content, "a.xlsx.gz")
    assert annotated_name("a.xlsx.gz", read) == "a_anomalies.xlsx"
    assert colours(annotate(content, "a.xlsx.gz", read, issues(bad("A2")), NO_SUMMARY, title="C")) == {"A2": RED}


# -- refusals --------------------------------------------------------------------------------------------------------


def test_a_broken_sheet_is_refused():
    """Marks would fall anywhere."""
    content = package(workbook(("Envoi", [("a",)])), xl__worksheets__sheet1_xml=b"<worksheet><sheetData><row></sheetData>")
    with pytest.raises(FileRefused) as refused:
        marked(content, bad("A1"))
    assert refused.value.code == "truncated_file"


@pytest.mark.parametrize("name", ["xl__worksheets__sheet1_xml", "xl__styles_xml", "xl__workbook_xml"])
def test_entities_are_refused_in_every_part_that_is_read(name):
    """No part is parsed that declares any."""
    hostile = b'<!DOCTYPE a [<!ENTITY x "y">]><worksheet xmlns="' + SPREADSHEET.encode() + b'"><sheetData/></worksheet>'
    with pytest.raises(FileRefused) as refused:
        marked(package(workbook(("Envoi", [("a",)])), **{name: hostile}), bad("A1"))
    assert refused.value.code == "xml_entities"


def test_a_part_that_unpacks_to_more_than_allowed_is_refused():
    """The limits of reading hold for marking."""
    content = workbook(("Envoi", [HEADER, *LINES * 100]))
    with pytest.raises(FileRefused) as refused:
        annotate(content, "a.xlsx", ReadFile("a.xlsx", "xlsx", ()), issues(bad("A2")), NO_SUMMARY, title="C", limits=Limits(unpacked_bytes=1_000))
    assert refused.value.code == "zip_bomb"


def test_a_style_beyond_the_sheet_of_styles_is_the_first():
    """A cell that refers to a style that is not there is marked like a plain one."""
    sheet = restyled(f'<worksheet xmlns="{SPREADSHEET}"><sheetData><row r="1"><c r="A1" s="7"/></row></sheetData></worksheet>'.encode(), Wanted({1: {0: "blocking"}}), lambda style, _: style + 1)
    assert sheet.changes[0][2] == b'<c r="A1" s="8"/>'
    assert colours(marked(written('<row r="1"><c r="A1" s="70"/></row>'), bad("A1"))) == {"A1": RED}


def test_a_head_is_enough_to_deselect_a_sheet():
    """Sheets without marks are not read further than their views."""
    head = f'<worksheet xmlns="{SPREADSHEET}"><sheetViews><sheetView tabSelected="1" workbookViewId="0"/></sheetViews><'.encode()
    assert b"".join(deselected(head).pieces(head + b"sheetData/></worksheet>")).endswith(b'<sheetView workbookViewId="0"/></sheetViews><sheetData/></worksheet>')


def test_an_unknown_encoding_is_refused():
    """Nothing is guessed."""
    with pytest.raises(FileRefused):
        utf8(b"<?xml version='1.0' encoding='klingon'?><a/>")
