"""Reading: pages, single rows and counts, each under the plans of the caller (SM-5)."""

from strongroom.ids import Guid
from strongroom.query.ast import Select
from strongroom.records.session import Session
from strongroom.records.shapes import Address, Page, Record
from strongroom.schema.model import Rights, Table
from strongroom.store.protocol import Row


def retrieve_page(session: Session, select: Select) -> Page:
    """One page of rows that the caller may read. Raises `AccessDenied` without the Read privilege (SM-153)."""
    raise NotImplementedError


def retrieve(session: Session, select: Select, address: Address) -> Record:
    """The one row at `address` with the outputs and expands of `select`.

    Refusals in this order: no privilege 403 (SM-150), no such row 404 (SM-152), not readable 403 (SM-151).
    """
    raise NotImplementedError


def count(session: Session, select: Select, limit: int | None = 5000) -> int:
    """How many rows the select would give without paging, counted no further than `limit` (WA-237)."""
    raise NotImplementedError


def find(session: Session, table: Table, address: Address) -> Guid:
    """The id of the row at `address`, without any check of rights; 404 `0x80060891` for an unknown key (WA-128)."""
    raise NotImplementedError


def require(session: Session, table: Table, address: Address, right: Rights) -> Row:
    """The row at `address`, on which the caller has `right` (SM-150 to SM-152). For messages that act on a row."""
    raise NotImplementedError
