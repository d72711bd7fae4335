"""From YAML to statements. A file is a mapping with `tests`, a list; each item says something about one user:

    as: sofia@meridian.example        # may stand at the top of the file, for all items that name nobody
    tests:
      - name: Sofía works with her own accounts       # what failures are called; made from the item when left out
        row: {account: Grön Glas HB}                  # table and primary name, or id
        can: [Read, Write]
        because: role-basic-own                       # exactly these codes
      - {as: sofia@meridian.example, table: account, cannot: Delete}          # the privilege at all
      - {as: {team: Deals}, sees: {account: 12, contact: [Ann Lee, Bo Ek]}}   # how many; exactly which
      - {as: admin, sees: {account: {including: [Grön Glas HB], excluding: []}}}
      - {as: {role: Salesperson}, table: account, can: [Read, Create]}        # somebody with this role alone

Only plain YAML is read: no tags, no anchors and no aliases, one document to a file. Texts are taken as they are
written, so that a row called `No` needs no quotes. Whatever does not fit is refused with its file and line.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import yaml

from strongroom.access.reasons import Code, DenialCode
from strongroom.access.rights import RIGHT_NAMES
from strongroom.errors import InvalidRequest
from strongroom.policies.statements import May, Place, Policy, RowName, Sees, Statement, Subject
from strongroom.query.names import hint
from strongroom.schema.model import Rights

LARGEST_FILE = 4 * 2**20
"""Bytes. A statement takes about a hundred."""

_RIGHTS = {name.removesuffix("Access"): right for right, name in RIGHT_NAMES.items()}
_ITEM = ("name", "as", "row", "table", "can", "cannot", "because", "sees")
_CODES = {str(code) for code in Code}
_DENIALS = {str(code) for code in DenialCode}


def read_folder(path: Path) -> list[Policy]:
    """The policies of a file, or of all files `*.yaml` and `*.yml` in a folder and below, in the order of names."""
    if path.is_dir():
        files = sorted(each for each in path.rglob("*") if each.suffix in (".yaml", ".yml") and each.is_file())
        if not files:
            raise InvalidRequest(f"There are no files *.yaml in {path}.")
    elif path.is_file():
        files = [path]
    else:
        raise InvalidRequest(f"{path} is neither a file nor a folder.")
    return [read_file(file, str(file)) for file in files]


def read_file(path: Path, name: str) -> Policy:
    """The policy of one file, which messages call `name`."""
    if path.stat().st_size > LARGEST_FILE:
        raise InvalidRequest(f"{name} is larger than {LARGEST_FILE // 2**20} MB; make several files of it.")
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidRequest(f"{name} is not UTF-8.") from None
    return read_text(text, name)


def read_text(text: str, name: str) -> Policy:
    """The policy in a text."""
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            _demand_plain(event, name)
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = name if mark is None else f"{name}:{mark.line + 1}:{mark.column + 1}"
        raise InvalidRequest(f"{place}: {error.problem or 'this is not YAML'}.") from None
    except yaml.YAMLError as error:
        raise InvalidRequest(f"{name}: {' '.join(str(error).split())}") from None
    except RecursionError:
        raise InvalidRequest(f"{name} is nested too deeply.") from None
    if root is None:
        raise InvalidRequest(f"{name} is empty; a policy is a mapping with 'tests'.")
    reader = _Reader(name)
    members = reader.mapping(root, ("as", "tests"), "A policy")
    default = reader.principal(members["as"]) if "as" in members else None
    if "tests" not in members:
        raise reader.error(root, "A policy has 'tests', a list of statements.")
    items = reader.sequence(members["tests"], "'tests'")
    return Policy(name, tuple(each for item in items for each in reader.statements(item, default)))


def _demand_plain(event: yaml.Event, name: str) -> None:
    """Refuse aliases, with which a small file can name a huge one, and tags, which mean nothing here."""
    line = event.start_mark.line + 1 if event.start_mark is not None else 1
    if isinstance(event, yaml.AliasEvent):
        raise InvalidRequest(f"{name}:{line}: aliases are not read; write it out.")
    if isinstance(event, yaml.NodeEvent) and event.anchor is not None:
        raise InvalidRequest(f"{name}:{line}: anchors are not read; write it out.")
    if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag is not None:
        raise InvalidRequest(f"{name}:{line}: tags are not read.")


_Principal = tuple[str, Subject]
"""Name, and what bears it."""


class _Reader:
    """Reads the nodes of one file."""

    def __init__(self, file: str) -> None:
        self._file = file

    # --- shapes ---

    def error(self, node: yaml.Node, message: str) -> InvalidRequest:
        return InvalidRequest(f"{self.place(node)}: {message}")

    def place(self, node: yaml.Node) -> Place:
        return Place(self._file, node.start_mark.line + 1)

    def mapping(self, node: yaml.Node, known: tuple[str, ...] | None, what: str) -> dict[str, yaml.Node]:
        """The members of a mapping; `known` are the names that it may have."""
        if not isinstance(node, yaml.MappingNode):
            raise self.error(node, f"{what} is a mapping, such as name: value.")
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = self.text(key, "a name")
            if name in found:
                raise self.error(key, f"'{name}' stands here twice.")
            if known is not None and name not in known:
                raise self.error(key, f"{what} has no '{name[:60]}'.{hint(name, list(known))}")
            found[name] = value
        return found

    def sequence(self, node: yaml.Node, what: str) -> list[yaml.Node]:
        if not isinstance(node, yaml.SequenceNode):
            raise self.error(node, f"{what} is a list.")
        return node.value

    def text(self, node: yaml.Node, what: str) -> str:
        if not isinstance(node, yaml.ScalarNode) or not node.value:
            raise self.error(node, f"{what} is a text.")
        return node.value

    def texts(self, node: yaml.Node, what: str) -> list[tuple[yaml.Node, str]]:
        """One text, several with commas between them, or a list of texts."""
        if isinstance(node, yaml.SequenceNode):
            return [(each, self.text(each, what)) for each in node.value]
        return [(node, part.strip()) for part in self.text(node, what).split(",") if part.strip()]

    def names(self, node: yaml.Node, what: str) -> tuple[str, ...]:
        """A list of texts, in which commas are letters like others."""
        return tuple(self.text(each, what) for each in self.sequence(node, what))

    # --- statements ---

    def principal(self, node: yaml.Node) -> _Principal:
        """`as`: a user by sign-in name or id, `{team: name}` or `{role: name}`."""
        if not isinstance(node, yaml.MappingNode):
            return self.text(node, "'as'"), Subject.USER
        members = self.mapping(node, ("team", "role"), "'as'")
        if len(members) != 1:
            raise self.error(node, "'as' names a user, {team: …} or {role: …}.")
        kind, name = next(iter(members.items()))
        return self.text(name, f"'{kind}'"), Subject(kind)

    def statements(self, node: yaml.Node, default: _Principal | None) -> Iterator[Statement]:
        """What one item says: a statement for each right and each table."""
        members = self.mapping(node, _ITEM, "A statement")
        who = self.principal(members["as"]) if "as" in members else default
        if who is None:
            raise self.error(node, "The statement names nobody: add 'as', here or at the top of the file.")
        name = self.text(members["name"], "'name'") if "name" in members else None
        if not members.keys() & {"can", "cannot", "sees"}:
            raise self.error(node, "A statement says 'can', 'cannot' or 'sees'.")
        if "can" in members or "cannot" in members:
            yield from self._may(node, members, who, name)
        elif unused := members.keys() & {"row", "table", "because"}:
            raise self.error(node, f"'{min(unused)}' belongs to 'can' or 'cannot'.")
        if "sees" in members:
            yield from self._sees(members["sees"], who, name)

    def _may(
        self, node: yaml.Node, members: dict[str, yaml.Node], who: _Principal, name: str | None
    ) -> Iterator[Statement]:
        if ("row" in members) == ("table" in members):
            raise self.error(node, "'can' and 'cannot' are about a 'row', or about a 'table' as a whole.")
        if "because" in members and "can" in members and "cannot" in members:
            raise self.error(node, "'because' is about either 'can' or 'cannot': make two statements.")
        row = self._row(members["row"]) if "row" in members else None
        table = row.table if row is not None else self.text(members["table"], "'table'")
        on = f"{table} '{row.name}'" if row is not None else f"any {table}"
        for verb, is_allowed in (("can", True), ("cannot", False)):
            if verb not in members:
                continue
            because = self._because(members["because"], is_allowed) if "because" in members else None
            for each, text in self.texts(members[verb], f"'{verb}'"):
                right = self._right(each, text)
                said = name if name is not None else f"{who[0]} {verb} {text} {on}"
                place = self.place(each)
                yield May(place, said, *who, right, is_allowed, table, row, because)

    def _sees(self, node: yaml.Node, who: _Principal, name: str | None) -> Iterator[Statement]:
        for table, expected in self.mapping(node, None, "'sees'").items():
            place = self.place(expected)

            def statement(
                said: str,
                table: str = table,
                place: Place = place,
                *,
                count: int | None = None,
                rows: tuple[str, ...] | None = None,
                including: tuple[str, ...] = (),
                excluding: tuple[str, ...] = (),
            ) -> Sees:
                title = name if name is not None else f"{who[0]} sees {said} {table}"
                return Sees(place, title, *who, table, count, rows, including, excluding)

            if isinstance(expected, yaml.SequenceNode):
                rows = self.names(expected, "the name of a row")
                yield statement(f"these {len(rows)}", rows=rows)
            elif isinstance(expected, yaml.MappingNode):
                members = self.mapping(expected, ("count", "including", "excluding"), f"'{table}'")
                yield statement(
                    "certain rows of",
                    count=self._number(members["count"]) if "count" in members else None,
                    including=self._optional(members, "including", self.names),
                    excluding=self._optional(members, "excluding", self.names),
                )
            else:
                number = self._number(expected)
                yield statement(str(number), count=number)

    def _optional(
        self,
        members: dict[str, yaml.Node],
        name: str,
        read: Callable[[yaml.Node, str], tuple[str, ...]],
    ) -> tuple[str, ...]:
        return read(members[name], f"'{name}'") if name in members else ()

    def _row(self, node: yaml.Node) -> RowName:
        members = self.mapping(node, None, "'row'")
        if len(members) != 1:
            raise self.error(node, "'row' is one table and one name or id: {account: Grön Glas HB}.")
        table, name = next(iter(members.items()))
        return RowName(table, self.text(name, "the name of a row"))

    def _right(self, node: yaml.Node, text: str) -> Rights:
        right = _RIGHTS.get(text.removesuffix("Access"))
        if right is None:
            raise self.error(node, f"'{text[:60]}' is no right; they are {', '.join(_RIGHTS)}.")
        return right

    def _number(self, node: yaml.Node) -> int:
        text = self.text(node, "a number of rows")
        if not text.isascii() or not text.isdigit() or len(text) > 12:
            raise self.error(node, f"'{text[:60]}' is no number of rows.")
        return int(text)

    def _because(self, node: yaml.Node, is_allowed: bool) -> frozenset[str]:
        known = _CODES if is_allowed else _DENIALS
        found: set[str] = set()
        for each, code in self.texts(node, "'because'"):
            if code not in known:
                why = "why somebody can" if is_allowed else "why somebody cannot"
                raise self.error(each, f"'{code[:60]}' is no code for {why}.{hint(code, sorted(known))}")
            found.add(code)
        return frozenset(found)
