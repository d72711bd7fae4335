"""Reasons and denials in words for people: the codes of SM-160 to SM-162 said in a sentence."""

from collections.abc import Mapping, Sequence
from typing import cast

Shown = Mapping[str, object]

_DENIALS = {
    "user-disabled": "the user is disabled, or its business unit or one above it is",
    "no-roles": "the user has no security role, neither directly nor through a team",
    "does-not-exist": "there is no such row",
    "no-access-path": "no role, ownership, share or hierarchy reaches this row",
}
_TABLES = {"principalobjectaccess": "share with", "systemuser": "user"}
_CHANGES = {
    "share": "sharing the row with this user",
    "own": "making this user the owner of the row",
    "enable-user": "enabling the user",
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
    words = _DENIALS.get(code, code)
    if denial.get("WidestDepth") is not None:
        return f"{words}; the widest grant is {denial['WidestDepth']} by the role '{denial['WidestRole']}'"
    return words


def would_allow_words(code: str) -> str:
    """What a change of SM-162 means."""
    kind, _, value = code.partition(":")
    if kind == "privilege":
        return f"a role with the privilege at depth {value} or wider, given in the user's own business unit"
    if kind == "team":
        return f"adding the user to the team '{value}'"
    return _CHANGES.get(code, code)


def _sources(reason: Shown, name: str) -> str:
    return ", ".join(_source(source) for source in cast("list[Shown]", reason.get(name, ())))


def _source(source: Shown) -> str:
    table = {"principalobjectaccess": "share with", "systemuser": "user"}.get(
        str(source["Table"]), str(source["Table"])
    )
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
