"""Parties of activities: who sent, got, was invited (`activityparty`), written with the activity they are part of.

A party is a row with the party (`partyid`, to a user, a contact, an account, a queue …) or only an address
(`addressused`), and its part in the activity (`participationtypemask`). Parties are no rows of their own for whoever
writes: they come with a new activity in its collection (`email_activity_parties`), and a change of the activity may
bring a new list in the place of the old one (WA-168). So they need no right but that to create or write the activity,
and AppendTo and Read on each party (SM-111). They are read by whoever reads the activity (SM-10).

The owner and what the activity is regarding are no parties here: `ownerid` and `regardingobjectid` say so.
"""

from collections.abc import Mapping, Sequence

from strongroom.access.columns import require_columns
from strongroom.access.plan import ColumnAccess
from strongroom.access.planning import plan_for
from strongroom.audit.entries import Action
from strongroom.errors import InvalidRequest
from strongroom.ids import Guid, Key, Reference, new_guid
from strongroom.records.authorize import demand_existing
from strongroom.records.lookups import Targets, references_in
from strongroom.records.pointers import table_of_row
from strongroom.records.session import Session
from strongroom.records.shapes import NewRecord
from strongroom.records.table_form import TableForm, form_of
from strongroom.records.trail import record_act
from strongroom.records.update import write_changes
from strongroom.schema.activities import PARTIES
from strongroom.schema.model import Relationship, Rights, Table
from strongroom.store.protocol import Row, Value

MOST_PARTIES = 1000
"""Parties that one activity may have."""

_SENDER = 1
_KEPT_ELSEWHERE = {8: "regardingobjectid", 9: "ownerid"}
_PARTS: Mapping[str, frozenset[int]] = {
    "appointment": frozenset({5, 6, 7}),
    "email": frozenset({1, 2, 3, 4}),
    "fax": frozenset({1, 2}),
    "letter": frozenset({1, 2, 4}),
    "phonecall": frozenset({1, 2}),
}
"""The parts that parties of some activity tables can have, as documented; those of other tables have any part."""


def is_party_list(link: Relationship) -> bool:
    """Whether a collection holds the parties of an activity."""
    return link.referencing_table == PARTIES and link.referencing_column == "activityid"


def add_parties(session: Session, activity: Row, records: Sequence[NewRecord]) -> None:
    """Store the parties of an activity that the caller has just created."""
    _store(session, activity, _drafts(session, activity.table, records))


def replace_parties(
    session: Session, table: Table, row_id: Guid, link: Relationship, parties: Sequence[NewRecord]
) -> None:
    """Put a new list of parties in the place of the old one (WA-168). The activity gets a new version, and an entry
    of its trail tells both lists."""
    table = table_of_row(session, table, row_id, Rights.WRITE)
    activity = demand_existing(session, table, row_id, Rights.WRITE)
    drafts = _drafts(session, table, parties)
    known = session.transaction.rows_where(session.table(PARTIES), {"activityid": activity.reference()})
    write_changes(session, activity, {})
    session.transaction.delete(session.table(PARTIES), known)
    _store(session, activity, drafts)
    told = _told([row.values for row in known]), _told(drafts)
    record_act(session, activity, Action.UPDATE, {link.schema_name: told})


def _drafts(session: Session, table: Table, records: Sequence[NewRecord]) -> list[dict[str, Value]]:
    """The values of new parties, checked and authorized."""
    if len(records) > MOST_PARTIES:
        raise InvalidRequest(f"An activity can have {MOST_PARTIES} parties, not {len(records)}.")
    parties = session.table(PARTIES)
    form, targets = form_of(parties), Targets(session)
    drafts = [_checked(form, table, record) for record in records]
    senders = [draft for draft in drafts if draft.get("participationtypemask") == _SENDER]
    if len(senders) > 1 and table.logical_name == "email":
        raise InvalidRequest("An email has one sender: participationtypemask 1 was given to several parties.")
    references = [each for draft in drafts for each in references_in(parties, draft, form.on_create)]
    targets.load(references)
    for reference in references:
        targets.demand(reference)
    if form.secured:
        plan = plan_for(session.caller, parties, Rights.CREATE)
        for draft in drafts:
            require_columns(plan, form.secured & draft.keys(), ColumnAccess.CREATE)
    return drafts


def _checked(form: TableForm, table: Table, record: NewRecord) -> dict[str, Value]:
    if record.related:
        raise InvalidRequest("A party of an activity has no related rows of its own.")
    named = {name: value for name, value in record.values.items() if name not in ("activityid", form.table.primary_id)}
    values = {**form.defaults, **form.checked(named, form.on_create)}
    if values.get("partyid") is None and not values.get("addressused") and not values.get("unresolvedpartyname"):
        raise InvalidRequest(
            "A party of an activity needs 'partyid_<table>@odata.bind', or 'addressused' with an address alone."
        )
    part = values.get("participationtypemask")
    if not isinstance(part, int):
        raise InvalidRequest("A party of an activity needs 'participationtypemask', its part in the activity.")
    if part in _KEPT_ELSEWHERE:
        raise InvalidRequest(f"The part {part} is told by '{_KEPT_ELSEWHERE[part]}' of the activity, not by a party.")
    allowed = _PARTS.get(table.logical_name)
    if allowed is not None and part not in allowed:
        parts = ", ".join(map(str, sorted(allowed)))
        raise InvalidRequest(f"A party of '{table.logical_name}' has one of the parts {parts}, not {part}.")
    return values


def _store(session: Session, activity: Row, drafts: Sequence[Mapping[str, Value]]) -> None:
    parties = session.table(PARTIES)
    rows = [
        Row(
            parties,
            Key(0),
            new_guid(session.clock),
            None,
            None,
            0,
            {**draft, "activityid": activity.reference(), "instancetypecode": 0, "ispartydeleted": False},
        )
        for draft in drafts
    ]
    session.transaction.insert(parties, rows)


def _told(parties: Sequence[Mapping[str, Value]]) -> str:
    """A list of parties as the trail tells it: part and party, or address."""
    told: list[str] = []
    for values in parties:
        party = values.get("partyid")
        who = f"{party.table},{party.id}" if isinstance(party, Reference) else str(values.get("addressused") or "")
        told.append(f"{values.get('participationtypemask')}:{who}")
    return "; ".join(sorted(told))
