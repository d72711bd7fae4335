"""Reasons and denials in words for people: the codes of SM-160 to SM-162 said in a sentence."""

from collections.abc import Mapping, Sequence
from typing import cast

Shown = Mapping[str, object]

_DENIALS = {
    "user-disabled": "the user is disabled, or its business unit or one above it is",
    "no-roles": "the user has no security role, neither directly nor through a team",
    "does-not-exist": "there is no such row",
    "no-access-path": "no role, ownership, share or hierarchy reaches this row",
    "owner-cannot-read": "the new owner has no role with the privilege to read this table",
    "owner-disabled": "the new owner is disabled, or its business unit or one above it is",
    "owner-is-access-team": "an access team cannot own rows",
    "share-with-owner": "the owner of the row has all rights on it already",
}
_TABLES = {"principalobjectaccess": "share with", "systemuser": "user", "businessunit": "business unit"}
_CHANGES = {
    "share": "sharing the row with this user",
    "own": "making this user the owner of the row",
}


def reason_rows(reasons: Sequence[Shown]) -> list[tuple[str, str, str]]:
    """One line for each reason: its code, what it comes from, and what stands behind it."""
    return [(str(reason["Code"]), _sources(reason, "Sources"), _background(reason)) for reason in reasons]


def denial_words(denial: Shown) -> str:
    """Why not, in a sentence."""
    code = str(denial["Code"])
    if code == "missing-privilege":
        privilege = denial.get("Privilege")
        if privilege is None:
            return "nobody can hold this right on this table"
        if denial.get("TakenByAccessMode"):
            return f"the access mode of the user takes {privilege} away"
        return f"no role of the user has {privilege}"
    if code == "column-not-permitted":
        return f"no column security profile of the user has {denial['Lacks']} for '{denial['Column']}'"
    if code == "cannot-grant-what-you-lack":
        return f"the user does not have {denial['LacksRights']} on the row, so it cannot be given on"
    if code == "delete-restricted":
        return f"a row that stays is tied to it through {denial['Relationship']}, which restricts deleting"
    words = _DENIALS.get(code, code)
    if denial.get("Row") is not None:
        words += f": that of {_source(cast('Shown', denial['Row']))}, which goes along"
    if denial.get("WidestDepth") is not None:
        words += f"; the widest grant is {denial['WidestDepth']} by the role '{denial['WidestRole']}'"
    if denial.get("Anchor") is not None:
        words += f", in {_source(cast('Shown', denial['Anchor']))}"
    return words


def would_allow_words(change: Shown) -> str:
    """What a change of SM-162 means."""
    code = str(change["Code"])
    who = _source(cast("Shown", change["For"])) if "For" in change else "the user"
    kind, _, value = code.partition(":")
    match kind:
        case "privilege":
            return f"a role with the privilege at depth {value} or wider, given in the business unit of {who}"
        case "team":
            return f"adding {who} to the team '{value}'"
        case "profile":
            return f"giving {who} the column security profile '{value}'"
        case "value-share":
            return f"sharing the value of this column of this row with {who}"
        case "enable-user":
            return f"enabling {who}"
        case _:
            return _CHANGES.get(code, code)


def _sources(reason: Shown, name: str) -> str:
    return ", ".join(_source(source) for source in cast("list[Shown]", reason.get(name, ())))


def _source(source: Shown) -> str:
    table = _TABLES.get(str(source["Table"]), str(source["Table"]))
    return f"{table} '{source['Name']}'" if source["Name"] else f"{table} (not shown)"


def _background(reason: Shown) -> str:
    parts: list[str] = []
    for giver in cast("list[Shown]", reason.get("GivenBy", ())):
        parts.append(f"given by {_source(giver)} on {str(giver['On'])[:10]}")
    for origin in cast("list[Shown]", reason.get("InheritedFrom", ())):
        parts.append(f"from {_source(origin)} by {origin['Relationship']}")
    path = cast("list[Shown]", reason.get("Path", ()))
    if path:
        parts.append("through " + " > ".join(str(source["Name"]) or "(not shown)" for source in path))
    return "; ".join(parts)
