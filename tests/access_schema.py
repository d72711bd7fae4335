"""A schema of a few hand-made tables, for tests of the security rules that need no more."""

from collections.abc import Iterable, Mapping
from uuid import NAMESPACE_URL, uuid5

from strongroom.ids import Guid
from strongroom.schema.model import (
    Column,
    ColumnType,
    Depth,
    ManyToMany,
    Ownership,
    Privilege,
    Relationship,
    Rights,
    Schema,
    Table,
)

DEPTHS = {
    Ownership.USER: frozenset(Depth),
    Ownership.ORGANIZATION: frozenset({Depth.GLOBAL}),
    Ownership.BUSINESS: frozenset({Depth.LOCAL, Depth.DEEP, Depth.GLOBAL}),
}
VERBS = {
    Rights.READ: "Read",
    Rights.WRITE: "Write",
    Rights.APPEND: "Append",
    Rights.APPEND_TO: "AppendTo",
    Rights.CREATE: "Create",
    Rights.DELETE: "Delete",
    Rights.SHARE: "Share",
    Rights.ASSIGN: "Assign",
}


def guid(name: str) -> Guid:
    """The same GUID for the same name."""
    return Guid(str(uuid5(NAMESPACE_URL, name)))


def column(
    name: str, type: ColumnType = ColumnType.STRING, *, secured: bool = False, targets: tuple[str, ...] = ()
) -> Column:
    """A column with nothing special."""
    return Column(name, name, type, guid(f"column {name}"), is_secured=secured, targets=targets)


def table(
    name: str,
    ownership: Ownership = Ownership.USER,
    columns: Iterable[Column] = (),
    *,
    privileges: Mapping[Rights, Privilege] | None = None,
    depths: frozenset[Depth] | None = None,
    hierarchy: bool = True,
    primary_name: str | None = "name",
) -> Table:
    """A table with an id, a name, and `columns`; it has the privileges, at the depths, that its ownership gives."""
    own = [column(f"{name}id", ColumnType.UNIQUEIDENTIFIER), *columns]
    if primary_name is not None and all(c.logical_name != primary_name for c in own):
        own.append(column(primary_name))
    return Table(
        logical_name=name,
        schema_name=name.capitalize(),
        entity_set_name=f"{name}s",
        object_type_code=sum(map(ord, name)) + 10_000,
        metadata_id=guid(f"table {name}"),
        ownership=ownership,
        label=name.capitalize(),
        collection_label=f"{name.capitalize()}s",
        description="",
        primary_id=f"{name}id",
        primary_name=primary_name,
        columns={c.logical_name: c for c in own},
        privileges=_privileges(name, ownership, depths or DEPTHS.get(ownership)) if privileges is None else privileges,
        is_hierarchy_security_enabled=hierarchy,
    )


def privilege_without_table(name: str) -> Privilege:
    """A privilege like `prvReadAuditSummary`."""
    return Privilege(guid(name), name, Rights.NONE, None, frozenset({Depth.GLOBAL}))


def schema(
    tables: Iterable[Table],
    *,
    relationships: Iterable[Relationship] = (),
    many_to_many: Iterable[ManyToMany] = (),
    extra: Iterable[str] = ("prvReadAuditSummary", "prvActOnBehalfOfAnotherUser"),
) -> Schema:
    """A schema of exactly these."""
    return Schema(
        version=1,
        tables={t.logical_name: t for t in tables},
        relationships={r.schema_name: r for r in relationships},
        many_to_many={m.schema_name: m for m in many_to_many},
        choices={},
        extra_privileges={name: privilege_without_table(name) for name in extra},
    )


def _privileges(name: str, ownership: Ownership, depths: frozenset[Depth] | None) -> dict[Rights, Privilege]:
    if depths is None:
        return {}
    ownerless = ownership is not Ownership.USER
    return {
        right: Privilege(guid(f"prv{verb}{name}"), f"prv{verb}{name.capitalize()}", right, name, depths)
        for right, verb in VERBS.items()
        if not (ownerless and right in (Rights.SHARE, Rights.ASSIGN))
    }
