"""The first page: the state of trust at a glance and one's own work, each number one click from its evidence."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from starlette.responses import Response

from strongroom.clock import iso
from strongroom.console.api import ApiError, objects, strings, text
from strongroom.console.days import begins, today
from strongroom.console.page import Page
from strongroom.console.visit import Visit

_REFUSED = 10001
_COUNTED = 5000
_NEWEST = {"$orderby": "createdon desc"}
"""An order that a condition on the time goes with: entries are then found by it, not passed one by one."""

_MINE = ("account", "contact", "opportunity", "incident", "task", "phonecall", "appointment", "lead")


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure: `tone` is good, warn, bad or empty."""

    title: str
    figure: str
    note: str
    address: str
    tone: str = ""


async def show(visit: Visit) -> Response:
    """The home page. What the visitor may not ask about is left out."""
    trust = (
        _alerts,
        _requests,
        _backups,
        _keys,
        _incidents,
        _health,
        _audit_switch,
        _seal,
        _refusals,
        _changes,
        _administrators,
        _disabled,
        _secured,
    )
    context = {"trust": await _tiles(visit, trust), "own": await _own(visit)}
    return visit.render("home.html", visit.texts("Home"), context)


async def _tiles(visit: Visit, makers: Sequence[Callable[[Visit], Awaitable[Tile | None]]]) -> Sequence[Tile]:
    found: list[Tile] = []
    for make in makers:
        try:
            tile = await make(visit)
        except ApiError as error:
            if error.status not in (403, 404):
                raise
            continue
        if tile is not None:
            found.append(tile)
    return found


async def _alerts(visit: Visit) -> Tile:
    count = await _count(visit, "alerts", {"$filter": "state lt 4"})
    grave = await _count(visit, "alerts", {"$filter": "state lt 4 and severity ge 3"}) if count else 0
    note = visit.texts.number("%(count)s of them grave", "%(count)s of them grave", grave) if count else ""
    tone = "bad" if grave else "warn" if count else "good"
    figure = visit.texts.up_to(count, _COUNTED)
    return Tile(visit.texts("Open alerts"), figure, note, visit.address("alerts"), tone)


async def _requests(visit: Visit) -> Tile | None:
    """Support that waits for an answer, in the control environment."""
    if not visit.is_control:
        return None
    count = await _count(visit, "lockboxrequests", {"$filter": "requeststatus eq 1"})
    texts = visit.texts
    address = visit.address("lockbox")
    return Tile(texts("Support asks for access"), texts.figure(count), "", address, "warn" if count else "good")


async def _backups(visit: Visit) -> Tile | None:
    """Environments whose newest back-up is older than a day, or that have none."""
    if not visit.is_control:
        return None
    since = iso(visit.environment.clock.now() - timedelta(days=1))
    condition = f"state ne 6 and (lastbackupon eq null or lastbackupon lt {since})"
    count = await _count(visit, "environments", {"$filter": condition})
    texts = visit.texts
    note = texts("have no back-up of the last day")
    return Tile(texts("Environments"), texts.figure(count), note, visit.address("estate"), "warn" if count else "good")


async def _keys(visit: Visit) -> Tile | None:
    """Keys of customers that are revoked."""
    if not visit.is_control:
        return None
    count = await _count(visit, "keyreferences", {"$filter": "state eq 3"})
    texts = visit.texts
    address = visit.address("estate/keys")
    return Tile(texts("Keys revoked"), texts.figure(count), texts("of customers"), address, "bad" if count else "good")


async def _incidents(visit: Visit) -> Tile | None:
    """Incidents that are open; breaches whose authority is not notified yet."""
    if not visit.is_control:
        return None
    count = await _count(visit, "securityincidents", {"$filter": "state ne 6"})
    running = "state ne 6 and ispersonaldatabreach eq true and authoritynotifiedon eq null"
    breaches = await _count(visit, "securityincidents", {"$filter": running}) if count else 0
    texts = visit.texts
    note = texts.number("%(count)s clock of 72 hours runs", "%(count)s clocks of 72 hours run", breaches)
    tone = "bad" if breaches else "warn" if count else "good"
    return Tile(
        texts("Open incidents"), texts.figure(count), note if breaches else "", visit.address("incidents"), tone
    )


async def _health(visit: Visit) -> Tile:
    """Whether sealing, rules and streams are at work."""
    found = await visit.api.ask("RetrieveHealth")
    problems = strings(found.get("Problems"))
    texts, is_well = visit.texts, found.get("Status") == "ok"
    figure = texts("Well") if is_well else texts("Behind")
    note = problems[0] if problems else texts("seal, rules and streams at work")
    return Tile(texts("Health"), figure, note, visit.address("health"), "good" if is_well else "bad")


async def _audit_switch(visit: Visit) -> Tile | None:
    rows = await visit.api.rows("organizations", {"$select": "isauditenabled"}, most=1)
    if not rows:
        return None
    is_on = rows[0].get("isauditenabled") is True
    texts = visit.texts
    note = texts("every change leaves an entry") if is_on else texts("changes leave no trace")
    return Tile(
        texts("Audit"), texts("On") if is_on else texts("Off"), note, visit.address("audit"), "good" if is_on else "bad"
    )


async def _seal(visit: Visit) -> Tile:
    head = await visit.api.ask("GetSignedTreeHead")
    size, on = head.get("TreeSize"), visit.moment(text(head.get("SignedOn")))
    note = visit.texts("signed %(moment)s", moment=on)
    figure = visit.texts.figure(size) if isinstance(size, int) else "—"
    return Tile(visit.texts("Entries sealed"), figure, note, visit.address("audit"), "good" if size else "warn")


async def _refusals(visit: Visit) -> Tile:
    day = today(visit)
    since = begins(day, visit.zone)
    count = await _count(visit, "audits", {**_NEWEST, "$filter": f"action eq {_REFUSED} and createdon ge {since}"})
    address = visit.address("audit", action=_REFUSED, since=day)
    return Tile(
        visit.texts("Refused attempts"),
        visit.texts.up_to(count, _COUNTED),
        visit.texts("today"),
        address,
        "warn" if count else "",
    )


async def _changes(visit: Visit) -> Tile:
    day = today(visit)
    count = await _count(visit, "audits", {**_NEWEST, "$filter": f"createdon ge {begins(day, visit.zone)}"})
    return Tile(
        visit.texts("Entries in the trail"),
        visit.texts.up_to(count, _COUNTED),
        visit.texts("today"),
        visit.address("audit", since=day),
    )


async def _administrators(visit: Visit) -> Tile | None:
    roles = await visit.api.rows(
        "roles",
        {"$select": "name", "$filter": "name eq 'System Administrator' and _parentroleid_value eq null"},
        most=1,
    )
    if not roles:
        return None
    role_id = text(roles[0]["roleid"])
    count = await _count(visit, f"roles({role_id})/systemuserroles_association", {})
    note = visit.texts.number("may do everything", "may do everything", count)
    return Tile(
        visit.texts("System Administrators"),
        visit.texts.up_to(count, _COUNTED),
        note,
        visit.address(f"roles/{role_id}"),
    )


async def _disabled(visit: Visit) -> Tile:
    count = await _count(visit, "systemusers", {"$filter": "isdisabled eq false"})
    return Tile(
        visit.texts("Enabled users"),
        visit.texts.up_to(count, _COUNTED),
        visit.texts("may sign in"),
        visit.address("people"),
    )


async def _secured(visit: Visit) -> Tile:
    count = sum(column.is_secured for table in visit.schema.tables.values() for column in table.columns.values())
    note = visit.texts("opened by profiles alone")
    return Tile(visit.texts("Secured columns"), visit.texts.up_to(count, _COUNTED), note, visit.address("profiles"))


async def _own(visit: Visit) -> Sequence[Tile]:
    """The active rows that the visitor owns, by table."""
    found: list[Tile] = []
    for name in _MINE:
        table = visit.table(name)
        mine = "Microsoft.Dynamics.CRM.EqualUserId(PropertyName='ownerid')"
        condition = f"{mine} and statecode eq 0" if "statecode" in table.columns else mine
        try:
            count = await _count(visit, table.entity_set_name, {"$filter": condition})
        except ApiError as error:
            if error.status not in (403, 404):
                raise
            continue
        if count:
            address = visit.address(f"tables/{name}", c1="ownerid", o1="mine", c2="statecode", o2="eq", v2="0")
            found.append(
                Tile(
                    table.collection_label or table.label,
                    visit.texts.up_to(count, _COUNTED),
                    visit.texts("active, mine"),
                    address,
                )
            )
    return found


async def _count(visit: Visit, address: str, options: Mapping[str, str]) -> int:
    """How many rows there are, at most `_COUNTED`."""
    body = await visit.api.get(address, {**options, "$count": "true", "$top": "1"})
    count = body.get("@odata.count")
    return count if isinstance(count, int) and count >= 0 else len(objects(body.get("value")))


PAGES = (Page("", show, "home"),)
