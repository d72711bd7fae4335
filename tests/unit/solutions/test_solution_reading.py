"""The published exports are read completely; their numbers are those of their README."""

from collections import Counter

import pytest
from tests.unit.solutions.exports import PUBLISHED, published, role_xml, small

from strongroom.errors import InvalidRequest
from strongroom.schema.model import ColumnType, Ownership
from strongroom.solutions import read_solution

_Expected = tuple[tuple[str, str, bool], tuple[int, int, list[int]], dict[str, int]]
_EXPECTED: dict[str, _Expected] = {
    # unique name, version, managed, tables, columns of their own, roles with their privileges, rows by table
    "column-level-security.zip": (
        ("ColumnLevelSecuritySampleSolution", "1.0.0.0", False),
        (1, 5, [17]),
        {"savedquery": 7, "systemform": 3},
    ),
    "polymorphic-lookup.zip": (
        ("polymorphiclookupexamplesolution", "1.0.0.0", True),
        (4, 8, []),
        {"savedquery": 28, "systemform": 12},
    ),
    "test-engine.zip": (
        ("TestEngine", "1.0.0.1", False),
        (2, 6, [87]),
        {"savedquery": 14, "systemform": 6, "appmodule": 1, "sitemap": 1},
    ),
    "vendor-integration.zip": (
        ("VendorIntegration", "1.1.0.0", False),
        (7, 14, [623, 1716]),
        {"environmentvariabledefinition": 6, "workflow": 3, "connectionreference": 1, "pluginassembly": 1},
    ),
    "sales-order-processing.managed.zip": (
        ("SalesOrderProcessingAutomation", "1.0.0.6", True),
        (3, 31, [105]),
        {"environmentvariabledefinition": 7, "webresource": 3, "workflow": 11, "connectionreference": 4},
    ),
    "term-buddy.zip": (
        ("termbuddy", "1.2.0.29", False),
        (2, 8, [99]),
        {"environmentvariabledefinition": 9, "workflow": 2, "connectionreference": 1},
    ),
    "development-hub.unpacked.zip": (
        ("devhub_DevelopmentHub_Develop", "0.2.22", False),
        (4, 25, []),
        {"workflow": 21, "webresource": 10, "connectionreference": 2, "environmentvariabledefinition": 1},
    ),
}


def test_every_published_export_is_expected() -> None:
    assert set(_EXPECTED) == set(PUBLISHED)


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_export_holds_what_its_readme_counts(name: str) -> None:
    about, (tables, columns, roles), rows = _EXPECTED[name]

    solution = read_solution(published(name))

    assert (solution.unique_name, solution.version, solution.is_managed) == about
    assert len(solution.tables) == tables
    own = sum(len(table.columns) + (table.primary_name is not None) for table in solution.tables)
    assert own == columns
    assert sorted(len(role.privileges) for role in solution.roles) == roles
    found = Counter(part.table for part in solution.parts)
    assert {table: found[table] for table in rows} == rows


def test_what_nobody_takes_apart_is_listed() -> None:
    kept = {(each.kind, each.name) for each in read_solution(published("term-buddy.zip")).kept}

    assert ("canvas app", "kch_termbuddyadminpanel_fbe24") in kept
    assert {("files", "bots"), ("files", "botcomponents")} <= kept


def test_missing_dependencies_are_named_with_their_solutions() -> None:
    found = read_solution(published("vendor-integration.zip")).dependencies

    assert ("table", "bookableresource", "msdynce_Scheduling (9.0.0.0)") in {
        (each.kind, each.name, each.solution) for each in found
    }


def test_secured_columns_choices_and_lookups_keep_their_facts() -> None:
    example = read_solution(published("column-level-security.zip")).tables[0]
    header = next(
        table
        for table in read_solution(published("sales-order-processing.managed.zip")).tables
        if table.logical_name == "aipod_salesorderheader"
    )

    assert example.ownership is Ownership.USER
    assert {column.schema_name for column in example.columns if column.is_secured} == {
        "sample_DateOfBirth",
        "sample_Email",
        "sample_GovernmentId",
        "sample_TelephoneNumber",
    }
    choices = [column for column in header.columns if column.type is ColumnType.PICKLIST]
    assert choices
    assert all(column.options for column in choices)


def test_one_lookup_with_three_targets_is_three_relationships() -> None:
    found = read_solution(published("polymorphic-lookup.zip")).relationships
    media = [
        each.relationship.referenced_table for each in found if each.lookup.lower() == "sample_mediapolymorphiclookup"
    ]

    assert sorted(media) == ["sample_audio", "sample_book", "sample_video"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ('<Roles><Role name="x"><RolePrivileges/></Role></Roles>', "has no id"),
        (
            '<Entities><Entity><Name>new_a</Name><EntityInfo><entity Name="new_a"><attributes>'
            '<attribute PhysicalName="new_b"><Type>hologram</Type></attribute>'
            "</attributes></entity></EntityInfo></Entity></Entities>",
            "'hologram'",
        ),
    ],
)
def test_what_cannot_be_is_refused_by_name(body: str, says: str) -> None:
    with pytest.raises(InvalidRequest, match=says):
        read_solution(small(body))


def test_a_role_is_read_with_its_levels() -> None:
    archive = small(role_xml("aaaaaaaa-0000-4000-8000-000000000001", "R", prvReadAccount="Deep"))

    assert read_solution(archive).roles[0].privileges == {"prvReadAccount": "Deep"}
