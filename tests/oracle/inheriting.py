"""How shares go down from parents to children (SM-80 to SM-88), read from the rules once more, over dictionaries.

A row has `parents` ({relationship: row or None}), `active`, and `parts`: {(principal, relationship, parent): {right}}.
What a principal has inherited is the union of its parts; `settle` writes that into `shares`, where decisions look.
"""

from oracle.decision import SHAREABLE_RIGHTS, World

Gains = dict[str, set[str]]
"""Rights by principal."""

ALL = set(SHAREABLE_RIGHTS)


def children(world: World, parent: str) -> list[tuple[str, str]]:
    """(relationship, child) for every row that hangs on a row."""
    return [
        (relationship, name)
        for name, row in world["rows"].items()
        for relationship, above in row.get("parents", {}).items()
        if above == parent
    ]


def below(world: World, row: str) -> set[str]:
    """A row and everything that hangs on it, however far down."""
    found = {row}
    for _, child in children(world, row):
        found |= below(world, child)
    return found


def touches(world: World, how: str, child: str, parent_owner: str) -> bool:
    """Whether an event on the parent touches a child, judged now (SM-87)."""
    told = world["rows"][child]
    if how == "Active":
        return bool(told["active"])
    if how == "UserOwned":
        return bool(told["owner"] == parent_owner)
    return how == "Cascade"


def has(world: World, row: str, principal: str) -> set[str]:
    """What a principal has on a row through either mask."""
    told = world["rows"][row]
    rights: set[str] = set(told["shares"].get(principal, {"direct": set()})["direct"])
    for (holder, _, _), part in told["parts"].items():
        if holder == principal:
            rights |= part
    return rights


def set_direct(world: World, row: str, principal: str, rights: set[str]) -> None:
    """SM-76 to SM-78, SM-80, SM-82: the direct mask becomes `rights`, and the change goes down."""
    shares = world["rows"][row]["shares"]
    before = has(world, row, principal)
    was = set(shares.get(principal, {"direct": set()})["direct"])
    shares.setdefault(principal, {"direct": set(), "inherited": set()})["direct"] = set(rights)
    pass_on(world, row, {principal: rights - was}, "share")
    take_back(world, row, {principal: before - has(world, row, principal)}, "unshare")


def pass_on(world: World, row: str, gains: Gains, setting: str) -> None:
    """SM-80, SM-81: what came to a row goes on to the children that the setting touches."""
    for relationship, child in children(world, row):
        if touches(world, world["relationships"][relationship][setting], child, world["rows"][row]["owner"]):
            add(world, child, relationship, row, gains, setting)


def add(world: World, child: str, relationship: str, parent: str, gains: Gains, setting: str) -> None:
    """Rights come to the parts of a child, and what is new there goes on."""
    parts = world["rows"][child]["parts"]
    new: Gains = {}
    for principal, rights in gains.items():
        part = parts.get((principal, relationship, parent), set())
        if rights - part:
            new[principal] = rights - part
            parts[principal, relationship, parent] = part | rights
    if new:
        pass_on(world, child, new, setting)


def take_back(world: World, row: str, lost: Gains, setting: str | None) -> None:
    """SM-82, SM-85: what ended on a row ends in the parts of the children that the setting touches; of all without a
    setting (SM-86). Who owns the row keeps below what owning gives (SM-84)."""
    owner = world["rows"][row]["owner"]
    for relationship, child in children(world, row):
        how = "Cascade" if setting is None else world["relationships"][relationship][setting]
        if touches(world, how, child, owner):
            for principal, rights in lost.items():
                if principal != owner:
                    reduce(world, child, (principal, relationship, row), rights, setting)


def reduce(world: World, row: str, place: tuple[str, str, str], rights: set[str], setting: str | None) -> None:
    """One part loses rights; those that the principal has in no other way end further down."""
    parts = world["rows"][row]["parts"]
    if not rights & parts.get(place, set()):
        return
    before = has(world, row, place[0])
    parts[place] = parts[place] - rights
    if not parts[place]:
        del parts[place]
    ended = before - has(world, row, place[0])
    if ended:
        take_back(world, row, {place[0]: ended}, setting)


def arrive(world: World, child: str, relationship: str, parent: str) -> None:
    """SM-83, SM-84: a child comes under a parent."""
    above = world["rows"][parent]
    if not touches(world, world["relationships"][relationship]["reparent"], child, above["owner"]):
        return
    holders = [*above["shares"], *(holder for holder, _, _ in above["parts"])]
    gains = {holder: has(world, parent, holder) for holder in holders}
    if above["owner"] != world["rows"][child]["owner"]:
        gains[above["owner"]] = set(ALL)
    add(world, child, relationship, parent, gains, "reparent")


def leave(world: World, child: str, relationship: str, parent: str) -> None:
    """SM-86: whatever came from there ends."""
    for place in list(world["rows"][child]["parts"]):
        if place[1:] == (relationship, parent):
            reduce(world, child, place, ALL, None)


def owner_changed(world: World, row: str, before: str) -> None:
    """SM-84: the new owner of a parent takes the place of the old one."""
    owner = world["rows"][row]["owner"]
    for relationship, child in children(world, row):
        how = world["relationships"][relationship]["reparent"]
        if how == "NoCascade":
            continue
        reduce(world, child, (before, relationship, row), ALL - has(world, row, before), None)
        if owner != world["rows"][child]["owner"] and touches(world, how, child, owner):
            add(world, child, relationship, row, {owner: set(ALL)}, "reparent")


def settle(world: World) -> None:
    """Write the unions of parts into the masks; who has nothing left is no longer there (SM-79)."""
    for row in world["rows"].values():
        if "parts" not in row:
            continue
        for holder, _, _ in row["parts"]:
            row["shares"].setdefault(holder, {"direct": set(), "inherited": set()})
        for holder, share in list(row["shares"].items()):
            share["inherited"] = set[str]().union(*(p for (who, _, _), p in row["parts"].items() if who == holder))
            if not share["direct"] and not share["inherited"]:
                del row["shares"][holder]
