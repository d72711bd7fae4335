"""Reasons, denials and remedies in plain words. The codes are those of the security model (SM-160 to SM-163)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from strongroom.console.api import Json, as_object, objects, text
from strongroom.console.texts import Texts
from strongroom.console.visit import Visit

Step = tuple[str, str, str | None]
"""One step of a path: what it is, its name, and the address of its page."""


@dataclass(frozen=True, slots=True)
class Told:
    """One reason in words, with the path from the user to the row."""

    code: str
    words: str
    steps: Sequence[Step]
    notes: Sequence[str]


def reason_words(texts: Texts) -> Mapping[str, str]:
    """Why somebody may, by code."""
    return {
        "bypass-sysadmin": texts("System Administrators may do everything"),
        "role-basic-own": texts("owns the row, and a role opens one's own rows"),
        "role-local-bu": texts("a role opens all rows of a business unit"),
        "role-deep": texts("a role opens all rows of a business unit and those below it"),
        "role-global": texts("a role opens all rows"),
        "team-role-basic-own": texts("a team owns the row, and its role opens its own rows"),
        "team-role-local-bu": texts("the role of a team opens all rows of a business unit"),
        "team-role-deep": texts("the role of a team opens all rows of a business unit and those below it"),
        "team-role-global": texts("the role of a team opens all rows"),
        "owner-team": texts("is a member of the team that owns the row"),
        "share-direct": texts("the row is shared with them"),
        "share-team": texts("the row is shared with their team"),
        "access-team": texts("is in the access team of the row"),
        "share-inherited": texts("a row above it is shared, and the share goes on to this one"),
        "hierarchy-manager": texts("manages somebody who has access"),
        "hierarchy-position": texts("holds a position above somebody who has access"),
        "everyone": texts("everybody may"),
        "parent": texts("takes the access of the row that it belongs to"),
    }


def denial_words(texts: Texts, denial: Json) -> str:
    """Why somebody may not, as one sentence."""
    code = text(denial.get("Code"))
    match code:
        case "user-disabled":
            return texts("The user is disabled.")
        case "no-roles":
            return texts("The user has no role at all, neither their own nor through a team.")
        case "missing-privilege" if denial.get("TakenByAccessMode"):
            return texts(
                "The access mode of the user takes %(privilege)s away.", privilege=text(denial.get("Privilege"))
            )
        case "missing-privilege":
            return texts("No role of the user has %(privilege)s.", privilege=text(denial.get("Privilege")))
        case "does-not-exist":
            return texts("The row does not exist.")
        case "no-access-path" if denial.get("WidestRole"):
            return texts(
                "The widest grant is %(depth)s, from the role %(role)s, and does not reach this row; nor is it shared.",
                depth=depth_name(texts, text(denial.get("WidestDepth"))),
                role=text(denial.get("WidestRole")),
            )
        case "delete-restricted":
            return texts(
                "A row that stays is tied to it by %(relationship)s, which restricts deleting.",
                relationship=text(denial.get("Relationship")),
            )
        case _:
            return texts("No grant reaches this row (%(code)s).", code=code)


def remedy_words(texts: Texts, code: str) -> str:
    """What would allow it, from its code: `privilege:Global`, `share`, `own`, `team:Deals` …"""
    kind, _, what = code.partition(":")
    match kind:
        case "privilege":
            return texts("Give a role the privilege at depth %(depth)s", depth=depth_name(texts, what))
        case "share":
            return texts("Share the row")
        case "own":
            return texts("Assign the row to the user")
        case "team":
            return texts("Make the user a member of the team %(team)s", team=what)
        case "enable":
            return texts("Enable the user")
        case _:
            return code


def depth_name(texts: Texts, depth: str) -> str:
    """A depth as the role editor calls it."""
    return {
        "Basic": texts("User"),
        "Local": texts("Business unit"),
        "Deep": texts("Parent: child business units"),
        "Global": texts("Organization"),
    }.get(depth, depth)


def told(visit: Visit, user: str, row: str, reason: Json) -> Told:
    """A reason as a path: user, over what it comes from, to the row."""
    texts = visit.texts
    code = text(reason.get("Code"))
    along = [_step(visit, each) for each in objects(reason.get("Path"))]
    sources = [_step(visit, each) for each in reversed(objects(reason.get("Sources")))]
    steps = [(texts("User"), user, None), *along, *sources, (texts("Row"), row, None)]
    notes = [
        texts("Shared by %(name)s on %(day)s", name=text(giver.get("Name")), day=text(giver.get("On"))[:10])
        for giver in objects(reason.get("GivenBy"))
    ]
    notes += [
        texts(
            "Comes from %(name)s (%(relationship)s)",
            name=text(each.get("Name")),
            relationship=text(each.get("Relationship")),
        )
        for each in objects(reason.get("InheritedFrom"))
    ]
    return Told(code, reason_words(texts).get(code, code), steps, notes)


def _step(visit: Visit, source: Json) -> Step:
    table = text(source.get("Table"))
    known = visit.schema.tables.get(table)
    row_id = text(source.get("Id"))
    places = {"systemuser": f"people/{row_id}", "team": f"teams/{row_id}", "role": f"roles/{row_id}"}
    place = places.get(table, f"tables/{table}/{row_id}")
    return (known.label if known else table, text(source.get("Name")) or row_id, visit.address(place))


def denial_of(explanation: Json) -> Json:
    """The denial of an explanation, {} when it allows."""
    return as_object(explanation.get("Denial"))
