"""`$ref`: reading, setting and removing ties between rows (WA-134, WA-160 to WA-167)."""

from strongroom.errors import InvalidRequest, MethodNotAllowed, PayloadError
from strongroom.ids import Reference
from strongroom.query.ast import Select
from strongroom.query.odata import read_key
from strongroom.records import Address, Session, associate, disassociate, require, retrieve_page, set_null, update
from strongroom.records.address import row_at
from strongroom.schema.model import ColumnType, ManyToMany, Relationship, Rights, Table
from strongroom.webapi.exchange import Exchange
from strongroom.webapi.headers import check_json
from strongroom.webapi.http import Response, json_response, no_content
from strongroom.webapi.paths import Segment
from strongroom.webapi.payload import read_reference
from strongroom.webapi.queries import lookup_target
from strongroom.webapi.rendering import encode
from strongroom.webapi.values import read_object


def require_row(session: Session, table: Table, address: Address, right: Rights) -> Reference:
    """The row at `address`, on which the caller has `right`."""
    return require(session, table, address, right).reference()


def single(
    exchange: Exchange, session: Session, table: Table, address: Address, nav: str, column_name: str
) -> Response:
    """`…/primarycontactid/$ref`: GET the reference, PUT another, DELETE it."""
    root = exchange.request.root
    match exchange.request.method:
        case "GET" | "HEAD":
            target = lookup_target(session, table, address, column_name, _table_of(session, table, nav))
            if target is None:
                return no_content()
            entity_set = session.table(target.table).entity_set_name
            body = {"@odata.context": f"{root}$metadata#$ref", "@odata.id": f"{root}{entity_set}({target.id})"}
            return json_response(200, encode(body))
        case "PUT":
            target = _body_reference(exchange, session)
            relationship = session.schema.lookup_nav(table.logical_name, nav)
            is_owner = table.columns[column_name].type is ColumnType.OWNER
            allowed = (
                {relationship.referenced_table} if relationship else {"systemuser", "team"} if is_owner else set[str]()
            )
            if target.table not in allowed:
                raise PayloadError(
                    f"'{nav}' cannot point to a row of '{target.table}'; it takes {', '.join(sorted(allowed))}."
                )
            update(session, table, address, {column_name: target})
            return no_content()
        case "DELETE":
            row = row_at(session, table, address)
            before = None if row is None else row.values.get(column_name)
            wanted = _table_of(session, table, nav)
            if not isinstance(before, Reference) or wanted in (None, before.table):
                set_null(session, table, address, column_name)
            else:
                require_row(session, table, address, Rights.WRITE)
            return no_content()
        case method:
            raise MethodNotAllowed(
                f"The requested resource does not support http method '{method}'.",
                details={"allow": "GET, HEAD, PUT, DELETE"},
            )


def _table_of(session: Session, table: Table, nav: str) -> str | None:
    """The table that a navigation property leads to; None for `ownerid`, which leads to two."""
    relationship = session.schema.lookup_nav(table.logical_name, nav)
    return None if relationship is None else relationship.referenced_table


def collection(
    exchange: Exchange, session: Session, parent: Reference, link: Relationship | ManyToMany, nav: Segment
) -> Response:
    """`…/Account_Tasks/$ref` with POST or PUT to add, `…/Account_Tasks(<id>)/$ref` or `?$id=` with DELETE to remove."""
    table = session.table(parent.table)
    match exchange.request.method:
        case "POST" | "PUT" if nav.key is None:
            tie(session, link, parent, _body_reference(exchange, session), table, nav.name)
            return no_content()
        case "DELETE":
            member = _member(exchange, session, table, link, nav)
            first, second = _ends(link, parent, member, table, nav.name)
            disassociate(session, link, first, second)
            return no_content()
        case method:
            raise MethodNotAllowed(
                f"The requested resource does not support http method '{method}'.",
                details={"allow": "GET, HEAD, POST, DELETE"},
            )


def tie(
    session: Session,
    link: Relationship | ManyToMany,
    parent: Reference,
    member: Reference,
    table: Table,
    nav: str,
) -> None:
    """Associate `member` with `parent` through the collection `nav` of `table`."""
    wanted = member_table(table, nav, link)
    if member.table != wanted:
        entity_set = session.table(wanted).entity_set_name
        raise PayloadError(f"'{nav}' holds rows of '{entity_set}'; the reference names a row of '{member.table}'.")
    first, second = _ends(link, parent, member, table, nav)
    associate(session, link, first, second)


def listed(exchange: Exchange, session: Session, select: Select) -> Response:
    """`…/Account_Tasks/$ref` with GET (WA-133)."""
    root = exchange.request.root
    entity_set = select.source.table.entity_set_name
    page = retrieve_page(session, select)
    rows = [{"@odata.id": f"{root}{entity_set}({record.id})"} for record in page.rows]
    return json_response(200, encode({"@odata.context": f"{root}$metadata#Collection($ref)", "value": rows}))


def _member(
    exchange: Exchange, session: Session, table: Table, link: Relationship | ManyToMany, nav: Segment
) -> Reference:
    wanted = member_table(table, nav.name, link)
    if nav.key is not None:
        address = read_key(session.schema, session.table(wanted), nav.key)
        return (
            Reference(wanted, address)
            if isinstance(address, str)
            else require_row(session, session.table(wanted), address, Rights.READ)
        )
    text = exchange.options.system.get("$id")
    if text is None:
        raise InvalidRequest(f"Name the row to be removed: …/{nav.name}(<id>)/$ref, or ?$id=<address>.")
    member = read_reference(exchange.reading(session), text)
    if member.table != wanted:
        raise InvalidRequest(f"'{nav.name}' holds rows of '{session.table(wanted).entity_set_name}'.")
    return member


def member_table(table: Table, nav: str, link: Relationship | ManyToMany) -> str:
    """The table of the rows in the collection `nav` of `table`."""
    if isinstance(link, Relationship):
        return link.referencing_table
    return link.other_table(table.logical_name, nav)


def _ends(
    link: Relationship | ManyToMany, parent: Reference, member: Reference, table: Table, nav: str
) -> tuple[Reference, Reference]:
    if isinstance(link, Relationship) or link.is_first(table.logical_name, nav):
        return parent, member
    return member, parent


def _body_reference(exchange: Exchange, session: Session) -> Reference:
    check_json(exchange.request)
    body = read_object(exchange.request.body)
    if "@odata.id" not in body:
        raise PayloadError("""The body must be {"@odata.id": "<address of the row>"}.""")
    return read_reference(exchange.reading(session), body["@odata.id"])
