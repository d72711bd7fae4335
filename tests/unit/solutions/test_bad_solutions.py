"""Solutions that cannot be: each is refused by name, within limits, and changes nothing (WA-405, TS-1807)."""

import io
import zipfile
from time import perf_counter
from xml.etree.ElementTree import Element

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.solutions.exports import manifest, small, zipped
from tests.worlds import World

from strongroom.errors import InvalidRequest, StrongroomError, TooLarge
from strongroom.solutions import Archive, import_solution, open_archive, read_solution
from strongroom.solutions.overlay import overlay, same
from strongroom.solutions.rules import register
from strongroom.solutions.writing import write_solution
from strongroom.solutions.xml import parsed
from strongroom.store.protocol import Database

_MANIFEST = manifest(name="bad", version="1.0", managed="0")
_DEEP = "<a>" * 300 + "</a>" * 300
_TABLE = (
    '<Entity><Name>new_{0}</Name><EntityInfo><entity Name="new_{0}"><attributes>'
    '<attribute PhysicalName="new_Name"><Type>nvarchar</Type><IsCustomField>1</IsCustomField>'
    "<DisplayMask>PrimaryName</DisplayMask></attribute>{1}</attributes></entity></EntityInfo></Entity>"
)


@pytest.fixture
def world(database: Database) -> World:
    """An environment with its first rows and the rules of solutions, on both engines."""
    world = World(database)
    register(world.rules)
    return world


def test_a_publisher_of_the_same_name_with_other_prefixes_is_refused_and_nothing_changes(world: World) -> None:
    _import(world, small("", name="first", publisher="acme", prefix="acme"))
    entities = f"<Entities>{_TABLE.format('deal', '')}</Entities>"

    with pytest.raises(InvalidRequest, match="publisher 'acme' is here with the prefix acme, and the solution gives"):
        _import(world, small(entities, name="second", publisher="acme", prefix="other"))

    _demand_untouched(world, "second", "new_deal")


@pytest.mark.parametrize("prefix", ["a", "mscrm", "1abc", "too_long", "abcdefghi", "a-b"])
def test_a_prefix_that_no_publisher_can_have_is_refused(world: World, prefix: str) -> None:
    with pytest.raises(InvalidRequest, match="cannot be the prefix of the publisher"):
        _import(world, small("", name="second", publisher="acme", prefix=prefix))


@pytest.mark.parametrize("name", ["", "with space", "9lives", "a" * 66, "x;drop"])
def test_a_solution_needs_a_name_that_one_can_have(world: World, name: str) -> None:
    with pytest.raises(InvalidRequest, match=r"names no UniqueName|unique name of a solution|exceeded the maximum"):
        _import(world, small("", name=name))


def test_tables_that_look_each_other_up_come_whatever_their_order(world: World) -> None:
    """A cycle is no fault: lookups are made when all tables are there."""
    lookup = '<attribute PhysicalName="new_{}Id"><Type>lookup</Type><IsCustomField>1</IsCustomField></attribute>'
    circle = (("one", "two"), ("two", "three"), ("three", "one"))
    entities = "".join(_TABLE.format(name, lookup.format(other)) for name, other in circle)
    relationships = "".join(
        f'<EntityRelationship Name="new_{child}_{parent}"><EntityRelationshipType>OneToMany</EntityRelationshipType>'
        f"<ReferencingEntityName>new_{child}</ReferencingEntityName><ReferencedEntityName>new_{parent}"
        f"</ReferencedEntityName><ReferencingAttributeName>new_{parent}Id</ReferencingAttributeName></EntityRelationship>"
        for child, parent in circle
    )
    archive = small(
        f"<Entities>{entities}</Entities><EntityRelationships>{relationships}</EntityRelationships>",
        name="cycle",
        managed="1",
    )

    _import(world, archive)

    assert world.schema.tables["new_one"].columns["new_twoid"].targets == ("new_two",)
    assert world.schema.tables["new_three"].columns["new_oneid"].targets == ("new_one",)


def test_a_refusal_in_the_midst_of_an_import_undoes_all_of_it(world: World) -> None:
    """The second table comes, and then a role is refused: neither is there."""
    role = '<Roles><Role id="{aaaaaaaa-0000-4000-8000-00000000000a}" name=""><RolePrivileges/></Role></Roles>'
    entities = f"<Entities>{_TABLE.format('deal', '')}</Entities>"

    with pytest.raises(StrongroomError):
        _import(world, small(entities + role, name="half"))

    _demand_untouched(world, "half", "new_deal")


@pytest.mark.parametrize(
    ("files", "error", "says"),
    [
        ({"solution.xml": _MANIFEST}, InvalidRequest, "has no solution.xml and customizations.xml"),
        ({"solution.xml": "<a/>", "customizations.xml": "<b/>"}, InvalidRequest, "no SolutionManifest"),
        ({"solution.xml": _MANIFEST, "customizations.xml": "<b>"}, InvalidRequest, "not well-formed"),
        (
            {"solution.xml": _MANIFEST, "customizations.xml": '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'},
            InvalidRequest,
            "document type or entities",
        ),
        (
            {"solution.xml": _MANIFEST, "customizations.xml": "<a>" * 300 + "</a>" * 300},
            InvalidRequest,
            "nests elements",
        ),
        ({"../../etc/passwd": "x"}, InvalidRequest, "outside of itself"),
        ({"big.xml": b"0" * (40 << 20)}, TooLarge, "packed tighter"),
    ],
)
def test_a_file_that_is_no_solution_is_refused_soon(
    files: dict[str, str | bytes], error: type[StrongroomError], says: str
) -> None:
    packed = zipped(files)

    started = perf_counter()
    with pytest.raises(error, match=says):
        read_solution(open_archive("bad.zip", packed))
    assert perf_counter() - started < 2


def test_two_files_whose_names_differ_in_case_alone_are_refused() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as packed:
        packed.writestr("solution.xml", _MANIFEST)
        packed.writestr("customizations.xml", "<ImportExportXml/>")
        packed.writestr("Customizations.xml", "<ImportExportXml><Roles/></ImportExportXml>")

    with pytest.raises(InvalidRequest, match=r"'Customizations\.xml' twice"):
        open_archive("twice.zip", stream.getvalue())


# --- whatever the bytes --------------------------------------------------------------------------------------------

_PATHS = st.sampled_from(
    [
        "solution.xml",
        "customizations.xml",
        "Other/Solution.xml",
        "Other/Customizations.xml",
        "Workflows/a.json",
        "environmentvariabledefinitions/new_a/environmentvariabledefinition.xml",
        "environmentvariabledefinitions/new_a/environmentvariablevalues.json",
        "Entities/account/Entity.xml",
        "Entities/account/FormXml/main/a.xml",
        "a/../b",
        "é.xml",
    ]
)
_BODIES = st.one_of(
    st.binary(max_size=60),
    st.sampled_from(
        [
            _MANIFEST.encode(),
            b"<ImportExportXml/>",
            b"\xef\xbb\xbf<ImportExportXml><Entities/></ImportExportXml>",
            b'{"environmentvariablevalues":{"environmentvariablevalue":{"value":"x"}}}',
            b"[" * 2_000,
            _TABLE.format("a", "").encode(),
        ]
    ),
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    files=st.dictionaries(_PATHS, _BODIES, max_size=6),
    damage=st.one_of(st.none(), st.tuples(st.integers(0), st.integers(0, 255))),
)
def test_a_zip_of_anything_is_read_or_refused_and_what_is_read_is_written_again(
    files: dict[str, bytes], damage: tuple[int, int] | None
) -> None:
    packed = bytearray(zipped(dict(files)))
    if damage is not None:
        packed[damage[0] % len(packed)] = damage[1]
    try:
        archive = open_archive("any.zip", bytes(packed))
        solution = read_solution(archive)
        again = read_solution(Archive("again", write_solution(solution, archive)))
    except StrongroomError:
        return
    assert (again.unique_name, again.version, again.roles) == (solution.unique_name, solution.version, solution.roles)


_WORDS = st.sampled_from(["a", "b", "label", "option"])
_FACTS = st.dictionaries(st.sampled_from(["id", "Name", "value", "x"]), st.sampled_from(["1", "2"]), max_size=2)


def _xml(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    def made(tag: str, facts: dict[str, str], inside: list[str]) -> str:
        attributes = "".join(f' {name}="{value}"' for name, value in facts.items())
        return f"<{tag}{attributes}>{''.join(inside)}</{tag}>"

    return st.builds(made, _WORDS, _FACTS, st.lists(inner, max_size=3))


_TREES = st.recursive(st.just(""), _xml, max_leaves=8).map(lambda text: f"<r>{text}</r>")


@given(original=_TREES, changed=_TREES)
def test_an_overlay_without_a_difference_is_the_original_and_with_all_of_it_the_new(
    original: str, changed: str
) -> None:
    one, other = parsed("one", original.encode()), parsed("other", changed.encode())

    assert same(overlay(one, other, other), one)
    assert _words(overlay(one, one, other)) == _words(other)


def _words(element: Element) -> list[str]:
    """Every element with its attributes, in any order."""
    return sorted(f"{each.tag} {sorted(each.attrib.items())}" for each in element.iter())


def _import(world: World, archive: Archive) -> None:
    with world.administrating() as session:
        import_solution(session, read_solution(archive), archive)


def _demand_untouched(world: World, solution: str, table: str) -> None:
    assert table not in world.schema.tables
    with world.administrating() as session:
        assert session.transaction.rows_where(session.table("solution"), {"uniquename": solution}) == []
