"""Who enters: one entry of the trail for a user's first request in a while (TS-801, actions 64 and 65).

It is told while the organization tells of access (`isuseraccessauditenabled`) and says how long *a while* is, in hours
(`useraccessauditinginterval`). A process remembers whom it has told of; before it tells of somebody for the first time
it looks whether another one has. What is done in between is told by other entries and by the activity log.

A request is not refused because its entry cannot be written: the server's log says so, and the next one tries again.
"""

import logging
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

from strongroom.access.plan import plan_of_all
from strongroom.access.planned import PlannedSelect
from strongroom.audit.entries import Action, Author, Operation, told
from strongroom.clock import iso
from strongroom.errors import StrongroomError
from strongroom.ids import Guid, Reference
from strongroom.query.ast import Comparison, Field, InList, Literal, Operator, Output, Select, Source, conjunction
from strongroom.records import Session
from strongroom.records.trail import author
from strongroom.schema.model import ColumnType
from strongroom.store.protocol import Database, Transaction, Value

_REMEMBERED = 5000
_LONGEST_H = 8760
_BROWSER = "Mozilla/"
_logger = logging.getLogger("strongroom.trail")


@dataclass(slots=True)
class UserAccesses:
    """Whom this process has told of, in one environment."""

    database: Database
    _until: OrderedDict[Guid, str] = field(default_factory=OrderedDict[Guid, str])
    _lock: Lock = field(default_factory=Lock)

    def see(self, session: Session) -> None:
        """Look at a request that has been answered, and tell of it when it is the first one in a while."""
        settings = session.caller.facts.settings
        hours = settings.access_interval_h if settings.audits_refusals else 0
        if hours and self._until.get(session.user.id, "") <= session.now:
            self._tell(session, min(hours, _LONGEST_H))

    def _tell(self, session: Session, hours: int) -> None:
        user = session.user
        now = datetime.fromisoformat(session.now)
        span = timedelta(hours=hours)
        try:
            with self.database.write() as transaction:
                if not _has_entered(transaction, user, iso(now - span)):
                    transaction.append_audit([_entry(author(session), hours, session.request.client or "")])
        except StrongroomError as error:
            _logger.error("an access could not be written to the trail: %s", error.message)
            return
        with self._lock:
            self._until[user.id] = iso(now + span)
            self._until.move_to_end(user.id)
            while len(self._until) > _REMEMBERED:
                self._until.popitem(last=False)


def _entry(by: Author, hours: int, client: str) -> dict[str, Value]:
    action = Action.USER_ACCESS_VIA_WEB if client.startswith(_BROWSER) else Action.USER_ACCESS_VIA_SERVICE
    return told(by, by.user, Operation.ACCESS, action, {"interval": (None, hours)})


def _has_entered(transaction: Transaction, user: Reference, since: str) -> bool:
    """Whether an entry tells already that the user entered since then."""
    table = transaction.schema.tables["audit"]

    def column(name: str) -> Field:
        return Field("", table.columns[name])

    actions = (Action.USER_ACCESS_VIA_WEB, Action.USER_ACCESS_VIA_SERVICE)
    select = Select(
        Source(table),
        (Output(table.primary_id, column(table.primary_id)),),
        where=conjunction(
            Comparison(Operator.EQUAL, column("userid"), Literal(user.id, ColumnType.UNIQUEIDENTIFIER)),
            Comparison(Operator.GREATER, column("createdon"), Literal(since, ColumnType.DATETIME)),
            InList(column("action"), tuple(Literal(each.value, ColumnType.PICKLIST) for each in actions)),
        ),
        top=1,
    )
    return bool(transaction.select(PlannedSelect(select, {"": plan_of_all(table)})))
