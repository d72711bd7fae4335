"""The standard catalogue: the tables that every environment starts with, as one immutable `Schema`.

The facts are read from `schema/standard`; what they leave open is settled in `standard_corrections`. References to
tables that are not in the catalogue are dropped: a target from `Column.targets`, a relationship as a whole, a lookup
when none of its targets is known.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache

from strongroom.ids import Guid
from strongroom.schema import standard_corrections as corrections
from strongroom.schema.activity_table import (
    activity_relationships,
    activity_table,
    with_longer_settings,
    with_own_columns,
)
from strongroom.schema.intersects import intersect_table
from strongroom.schema.model import (
    AlternateKey,
    Cascade,
    Choice,
    Column,
    ColumnType,
    Depth,
    ManyToMany,
    Option,
    Ownership,
    Privilege,
    Relationship,
    Rights,
    Schema,
    Table,
)
from strongroom.schema.platform_tables import platform_relationships
from strongroom.schema.privileges import (
    RIGHTS_BY_VERB,
    VERBS,
    privileges_without_table,
    table_privileges,
)
from strongroom.schema.stable_ids import stable_id
from strongroom.schema.standard_columns import column_from_facts, options_from_facts
from strongroom.schema.standard_facts import RelationshipFacts, TableFacts, load_facts
from strongroom.schema.system_columns import (
    LEFT_ALONE,
    PLATFORM_KEPT,
    bookkeeping_columns,
    derived_names,
    import_columns,
    owner_columns,
    state_columns,
    system_relationships,
    version_column,
)
from strongroom.schema.trail_tables import trail_tables

STANDARD_VERSION = 1
"""The version of the schema of an environment in which nobody has changed anything."""

_DEPTHS = {"b": Depth.BASIC, "l": Depth.LOCAL, "D": Depth.DEEP, "g": Depth.GLOBAL}
_CASCADES = {
    "assign": "assign",
    "share": "share",
    "unshare": "unshare",
    "reparent": "reparent",
    "delete": "delete",
    "merge": "merge",
    "rollupView": "rollup_view",
}


@cache
def standard_schema() -> Schema:
    """The catalogue, built once per process."""
    facts = load_facts()
    choices = _choices(facts)
    columns = {name: _columns(table, facts, choices) for name, table in facts.items()}
    relationships = _relationships(facts, columns)
    associations = _associations(facts, columns)
    shared: dict[Guid, Privilege] = {}
    without_table = privileges_without_table()
    tables: dict[str, Table] = {}
    for name, table in facts.items():
        privileges = _privileges(table, facts, shared, without_table)
        tables[name] = _table(table, columns[name], privileges, facts)
    for association in associations.values():
        if association.intersect not in tables:
            tables[association.intersect] = _intersect(association)
    tables["audit"] = with_own_columns(tables["audit"])
    tables["organization"] = with_longer_settings(tables["organization"])
    own = activity_table()
    tables[own.logical_name] = own
    relationships.update({each.schema_name: each for each in activity_relationships()})
    for platform in trail_tables():
        tables[platform.logical_name] = platform
        relationships.update({each.schema_name: each for each in platform_relationships(platform)})
    return Schema(
        version=STANDARD_VERSION,
        tables=tables,
        relationships=relationships,
        many_to_many=associations,
        choices=choices,
        extra_privileges={name: p for name, p in without_table.items() if p.id not in shared},
    )


def _table(
    facts: TableFacts,
    columns: Mapping[str, Column],
    privileges: Mapping[Rights, Privilege],
    known: Mapping[str, TableFacts],
) -> Table:
    name = facts["logicalName"]
    derived = {derived: base for derived, base in facts["derivedColumns"].items() if base in columns}
    for column in columns.values():
        if column.logical_name in PLATFORM_KEPT:
            derived.update(derived_names(column))
    return Table(
        logical_name=name,
        schema_name=facts["schemaName"],
        entity_set_name=corrections.ENTITY_SETS.get(name, facts["entitySetName"]),
        object_type_code=facts["objectTypeCode"],
        metadata_id=stable_id("table", name),
        ownership=Ownership(facts["ownership"]),
        label=facts["displayName"],
        collection_label=facts["displayCollectionName"],
        description=facts["description"],
        primary_id=facts["primaryId"],
        primary_name=facts["primaryName"] if facts["primaryName"] in columns else None,
        columns=columns,
        derived={derived: base for derived, base in derived.items() if derived not in columns},
        keys=keys_from_facts(facts, columns),
        privileges=privileges,
        primary_image=_primary_image(columns),
        is_activity=facts["isActivity"] or name == "activitypointer",
        is_intersect=facts["isIntersect"],
        is_audited=name not in corrections.NOT_AUDITED,
        has_notes=name in _targets(known["annotation"], "objectid"),
        has_activities=name in _targets(known["activitypointer"], "regardingobjectid"),
        introduced_version="5.0.0.0",
    )


def _targets(facts: TableFacts, column: str) -> Iterable[str]:
    for found in facts["columns"]:
        if found["name"] == column:
            return found.get("targets", ())
    return ()


def _primary_image(columns: Mapping[str, Column]) -> str | None:
    return "entityimage" if "entityimage" in columns else None


def keys_from_facts(facts: TableFacts, columns: Mapping[str, Column]) -> tuple[AlternateKey, ...]:
    """The alternate keys that mean something here (`FOREIGN_KEY_COLUMNS`, `FOREIGN_PREFIXES`)."""
    made: list[AlternateKey] = []
    for key in facts["keys"]:
        if corrections.FOREIGN_KEY_COLUMNS.intersection(key["columns"]) or _is_foreign(key["name"]):
            continue
        if all(column in columns for column in key["columns"]):
            name = key["name"]
            id_ = stable_id("key", f"{facts['logicalName']}.{name}")
            made.append(AlternateKey(name.lower(), name, id_, name, tuple(key["columns"])))
    return tuple(made)


def _is_foreign(name: str) -> bool:
    return name.lower().startswith(corrections.FOREIGN_PREFIXES)


# --- columns -----------------------------------------------------------------------------------------------------


def _columns(facts: TableFacts, known: Mapping[str, TableFacts], choices: Mapping[str, Choice]) -> dict[str, Column]:
    options = {name: choice.options for name, choice in choices.items()}
    made: dict[str, Column] = {}
    for number, found in enumerate(facts["columns"], start=1):
        column = column_from_facts(facts, found, number, known, options)
        if column is not None:
            made[column.logical_name] = _with_default_status(column, facts)
    for column in _missing_columns(facts):
        if column.logical_name == facts["primaryId"]:
            continue
        known_as = made.get(column.logical_name)
        if known_as is None or known_as.type is not column.type:
            made[column.logical_name] = replace(column, column_number=len(facts["columns"]) + len(made))
    return made


def _missing_columns(facts: TableFacts) -> list[Column]:
    """What every table of this ownership has (WA-441), to be added where the facts lack it."""
    name = facts["logicalName"]
    match Ownership(facts["ownership"]):
        case Ownership.USER:
            return [
                *bookkeeping_columns(name, Ownership.USER, stable_id),
                *owner_columns(name, stable_id),
                *state_columns(name, stable_id),
                *import_columns(name, stable_id),
            ]
        case Ownership.ORGANIZATION | Ownership.BUSINESS as ownership:
            return bookkeeping_columns(name, ownership, stable_id)
        case Ownership.NONE:
            return [version_column(name, stable_id)]


def _with_default_status(column: Column, facts: TableFacts) -> Column:
    """A state column whose options all name the status reason that goes with them: the first one, if not told."""
    if column.type is not ColumnType.STATE:
        return column
    status = next((found for found in facts["columns"] if found["type"] == "Status"), None)
    reasons = options_from_facts(status) if status else ()
    first: dict[int, int] = {}
    for reason in reasons:
        if reason.state is not None:
            first.setdefault(reason.state, reason.value)
    options = tuple(
        option if option.default_status is not None else replace(option, default_status=first.get(option.value))
        for option in column.options
    )
    default = column.default if column.default is not None else min((option.value for option in options), default=0)
    return replace(column, options=options, default=default)


def _choices(facts: Mapping[str, TableFacts]) -> dict[str, Choice]:
    """The global choices: the longest list of options that any column shows for them."""
    made: dict[str, Choice] = {}
    for table in facts.values():
        for column in table["columns"]:
            name = column.get("globalChoice")
            if name is None:
                continue
            options = tuple(Option(o.value, o.label) for o in options_from_facts(column))
            if name not in made or len(options) > len(made[name].options):
                made[name] = Choice(name, stable_id("choice", name), column.get("label", name), options)
    return dict(sorted(made.items()))


# --- relationships -----------------------------------------------------------------------------------------------


def _relationships(
    facts: Mapping[str, TableFacts], columns: Mapping[str, Mapping[str, Column]]
) -> dict[str, Relationship]:
    made: dict[str, Relationship] = {}
    for name, table in facts.items():
        taken: set[str] = set()
        for found in table["manyToOne"]:
            column = columns[name].get(found["column"])
            if column is None or not column.type.is_lookup or found["to"] not in column.targets:
                continue
            nav = found["nav"] if found["nav"] not in taken and not _is_ambiguous(found, column) else ""
            relationship = _relationship(table, found, nav or f"{found['column']}_{found['to']}")
            taken.add(relationship.lookup_nav)
            made[relationship.schema_name] = relationship
        covered = {r.referencing_column for r in made.values() if r.referencing_table == name}
        names = frozenset(column.logical_name for column in columns[name].values() if column.type.is_lookup)
        for relationship in system_relationships(name, names - covered, stable_id):
            made[relationship.schema_name] = relationship
    return made


def _is_ambiguous(found: RelationshipFacts, column: Column) -> bool:
    """A navigation property of a multi-table lookup that is not told apart by its target (WA-72)."""
    return len(column.targets) > 1 and found["nav"] == found["column"]


def _relationship(table: TableFacts, facts: RelationshipFacts, nav: str) -> Relationship:
    name = table["logicalName"]
    return Relationship(
        schema_name=facts["name"],
        metadata_id=stable_id("relationship", facts["name"]),
        referenced_table=facts["to"],
        referenced_column=facts["toColumn"],
        referencing_table=name,
        referencing_column=facts["column"],
        lookup_nav=nav,
        collection_nav=facts["collectionNav"],
        cascade=_cascade(table, facts),
        is_hierarchical=(name, facts["column"]) in corrections.HIERARCHICAL and facts["to"] == name,
    )


def _cascade(table: TableFacts, facts: RelationshipFacts) -> Cascade:
    """The cascade of the facts. Where no source told it: what we know ourselves (`CASCADES`), else that of the same
    lookup to another table, else what a new lookup has by default; the platform's own bookkeeping is left alone."""
    if (table["logicalName"], facts["column"]) in corrections.PARTS:
        return Cascade(delete="Cascade")
    if facts.get("cascadeSource") != "unverified":
        return _told_cascade(facts)
    known = corrections.CASCADES.get((table["logicalName"], facts["column"]))
    if known is not None:
        return known
    if facts["column"] in PLATFORM_KEPT:
        return LEFT_ALONE
    for other in table["manyToOne"]:
        if other["column"] == facts["column"] and other.get("cascadeSource") != "unverified":
            return _told_cascade(other)
    return Cascade()


def _told_cascade(facts: RelationshipFacts) -> Cascade:
    return Cascade(**{"delete": "NoCascade", **{_CASCADES[action]: how for action, how in facts["cascade"].items()}})


def _associations(
    facts: Mapping[str, TableFacts], columns: Mapping[str, Mapping[str, Column]]
) -> dict[str, ManyToMany]:
    made: dict[str, ManyToMany] = {}
    for table in facts.values():
        for found in table["manyToMany"]:
            name, intersect = found["name"], found["intersect"]
            if name in corrections.FOREIGN_ASSOCIATIONS or _is_foreign(name) or name in made:
                continue
            if intersect in columns and not {found["column1"], found["column2"]} <= columns[intersect].keys():
                continue
            made[name] = ManyToMany(
                schema_name=name,
                metadata_id=stable_id("relationship", name),
                table1=found["table1"],
                column1=found["column1"],
                nav1=found["nav1"],
                table2=found["table2"],
                column2=found["column2"],
                nav2=found["nav2"],
                intersect=intersect,
            )
    return dict(sorted(made.items()))


def _intersect(association: ManyToMany) -> Table:
    """The table behind a many-to-many relationship that the facts name without describing it."""
    return intersect_table(association, corrections.TYPE_CODES[association.intersect], stable_id)


# --- privileges --------------------------------------------------------------------------------------------------


def _privileges(
    facts: TableFacts,
    known: Mapping[str, TableFacts],
    shared: dict[Guid, Privilege],
    without_table: dict[str, Privilege],
) -> dict[Rights, Privilege]:
    """The table's privileges. Activity tables share those of `activitypointer`, addresses those of accounts: one
    privilege is one value wherever it is used, found again in `shared`. Those that give no right over rows
    (`prvAssignManager`) go to `without_table`."""
    name = facts["logicalName"]
    source = facts
    if facts["isActivity"] and "privileges" not in facts:
        source = known["activitypointer"]
    if "privileges" not in source:
        made = table_privileges(name, facts["schemaName"], Ownership(facts["ownership"]))
        shared.update({privilege.id: privilege for privilege in made.values()})
        return made
    by_right: dict[Rights, Privilege] = {}
    for privilege_name, verb, letters, id_ in source["privileges"]:
        depths = frozenset(_DEPTHS[letter] for letter in letters)
        right = RIGHTS_BY_VERB.get(verb)
        if right is None:
            without_table[privilege_name] = Privilege(Guid(id_), privilege_name, Rights.NONE, None, depths)
            continue
        if name == "systemuser":
            depths |= {Depth.BASIC}  # Basic reaches the caller's own row (SM-12)
        privilege = Privilege(Guid(id_), privilege_name, right, name, depths)
        by_right[right] = shared.setdefault(privilege.id, privilege)
    return {right: by_right[right] for right in VERBS if right in by_right}
