"""Archives from strangers: what is refused, and how soon."""

import io
import zipfile
from pathlib import Path
from time import perf_counter
from xml.etree.ElementTree import Element, tostring

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.solutions.exports import manifest, published, small, zipped

from strongroom.errors import InvalidRequest, StrongroomError, TooLarge
from strongroom.solutions import Archive, open_archive, read_folder, read_solution
from strongroom.solutions.writing import write_solution


@pytest.mark.parametrize("name", ["../outside.xml", "/etc/passwd", "a/../../b", "c:/windows/x", "..\\outside"])
def test_a_name_that_leads_out_of_the_archive_is_refused(name: str) -> None:
    with pytest.raises(InvalidRequest, match="outside of itself"):
        open_archive("evil.zip", zipped({name: "x"}))


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = zipped({"big.xml": b"0" * (64 << 20)})
    assert len(bomb) < 100_000

    started = perf_counter()
    with pytest.raises(TooLarge):
        open_archive("bomb.zip", bomb)
    assert perf_counter() - started < 1


def test_too_many_files_are_refused() -> None:
    with pytest.raises(TooLarge, match="20,000 files"):
        open_archive("many.zip", zipped({f"{number}.txt": "" for number in range(20_001)}))


def test_a_zip_with_a_password_is_refused() -> None:
    locked = bytearray(zipped({"solution.xml": "x"}))
    for mark in (b"PK\x03\x04", b"PK\x01\x02"):
        place = locked.index(mark) + (6 if mark == b"PK\x03\x04" else 8)
        locked[place] |= 1
    with pytest.raises(InvalidRequest, match="not a zip that can be read"):
        open_archive("locked.zip", bytes(locked))


@given(st.binary(max_size=400))
def test_bytes_that_are_no_zip_are_refused(data: bytes) -> None:
    with pytest.raises(StrongroomError):
        read_solution(open_archive("noise.zip", data))


@given(place=st.integers(0, 3_000), value=st.integers(0, 255))
def test_a_damaged_zip_is_read_or_refused_and_never_anything_else(place: int, value: int) -> None:
    whole = bytearray(zipped({"solution.xml": manifest(name="a", version="1", managed="0")}))
    whole[place % len(whole)] = value
    try:
        open_archive("damaged.zip", bytes(whole))
    except StrongroomError:
        return


_WORDS = """Entities Entity EntityInfo entity attributes attribute Type Name optionset options option labels label Roles
Role RolePrivileges RolePrivilege FieldSecurityProfile FieldPermission savedquery systemform form WebResource Workflow
EntityRelationship EntityRelationshipType ReferencingEntityName connectionreference AppModule UniqueName"""
_NAMES = """id name Name value level description languagecode PhysicalName WorkflowId schemaname"""
_VALUES = ["", "0", "-1", "x", "Basic", "{aaaaaaaa-0000-4000-8000-000000000001}", "9" * 30, "../x", "é"]
_TAGS = st.sampled_from(_WORDS.split())
_FACTS = st.dictionaries(st.sampled_from(_NAMES.split()), st.sampled_from(_VALUES), max_size=3)


def _leaf(tag: str, facts: dict[str, str], text: str) -> Element:
    element = Element(tag, facts)
    element.text = text
    return element


def _branch(tag: str, facts: dict[str, str], children: list[Element]) -> Element:
    element = Element(tag, facts)
    element.extend(children)
    return element


_TREES = st.recursive(
    st.builds(_leaf, _TAGS, _FACTS, st.sampled_from(["", "1", "int", "x"])),
    lambda inner: st.builds(_branch, _TAGS, _FACTS, st.lists(inner, max_size=4)),
    max_leaves=12,
)


@given(_TREES)
def test_xml_of_known_words_in_any_order_is_read_or_refused_and_never_anything_else(tree: Element) -> None:
    try:
        solution = read_solution(small(tostring(tree, encoding="unicode")))
        read_solution(Archive("again", write_solution(solution)))
    except StrongroomError:
        return


@pytest.mark.parametrize(
    "declared",
    [
        '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><ImportExportXml>&b;</ImportExportXml>',
        '<!DOCTYPE x SYSTEM "file:///etc/passwd"><ImportExportXml/>',
    ],
)
def test_entities_and_document_types_are_refused(declared: str) -> None:
    files = {"solution.xml": manifest(name="a", version="1", managed="0"), "customizations.xml": declared}
    with pytest.raises(InvalidRequest, match="document type"):
        read_solution(open_archive("entities.zip", zipped(files)))


def test_elements_that_nest_without_end_are_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"deeper|read as XML"):
        read_solution(small("<a>" * 5_000 + "</a>" * 5_000))


def test_what_is_no_solution_says_what_is_missing() -> None:
    with pytest.raises(InvalidRequest, match=r"has no solution\.xml"):
        read_solution(open_archive("other.zip", zipped({"readme.txt": "hello"})))
    with pytest.raises(InvalidRequest, match="not well-formed"):
        read_solution(open_archive("cut.zip", zipped({"solution.xml": "<a>", "customizations.xml": "<b/>"})))


def test_a_folder_reads_like_its_zip(tmp_path: Path) -> None:
    archive = published("development-hub.unpacked.zip")
    for name, content in archive.files.items():
        path = tmp_path / "unpacked" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    assert read_solution(read_folder(tmp_path / "unpacked")) == read_solution(archive)


def test_a_link_in_a_folder_is_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.xml"
    secret.write_text("<x/>")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "link.xml").symlink_to(secret)

    assert read_folder(folder).files == {}


def test_a_solution_in_a_folder_of_its_own_is_found_inside_its_zip() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as packed:
        packed.writestr("mine/solution.xml", manifest(name="mine", version="2.0", managed="0"))
        packed.writestr("mine/customizations.xml", "<ImportExportXml/>")
    assert read_solution(open_archive("mine.zip", stream.getvalue())).version == "2.0"
