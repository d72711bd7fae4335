"""Policy files: what they say, and how they are refused when they say nothing sensible."""

from pathlib import Path

import pytest

from strongroom.errors import InvalidRequest
from strongroom.policies.document import LARGEST_FILE, read_file, read_folder, read_text
from strongroom.policies.statements import May, Place, RowName, Sees, Subject
from strongroom.schema.model import Rights

WHOLE = """\
as: ann@test
tests:
  - name: Ann works
    row: {account: No}
    can: [Read, WriteAccess]
    because: role-basic-own, share-direct
  - {as: ben@test, table: account, cannot: Delete}
  - as: {team: Deals}
    sees:
      account: 12
      contact: [Ann Lee, "Bo, Ek"]
      task: {count: 1, including: [A], excluding: [B]}
"""


def test_every_kind_of_statement_is_read_with_its_line() -> None:
    """Texts are taken as they are written: `No` is a name."""
    policy = read_text(WHOLE, "sales.yaml")

    row = RowName("account", "No")
    because = frozenset({"role-basic-own", "share-direct"})
    assert policy.statements == (
        May(Place("sales.yaml", 5), "Ann works", "ann@test", Subject.USER, Rights.READ, True, "account", row, because),
        May(Place("sales.yaml", 5), "Ann works", "ann@test", Subject.USER, Rights.WRITE, True, "account", row, because),
        May(
            Place("sales.yaml", 7),
            "ben@test cannot Delete any account",
            "ben@test",
            Subject.USER,
            Rights.DELETE,
            False,
            "account",
            None,
        ),
        Sees(Place("sales.yaml", 10), "Deals sees 12 account", "Deals", Subject.TEAM, "account", 12),
        Sees(
            Place("sales.yaml", 11),
            "Deals sees these 2 contact",
            "Deals",
            Subject.TEAM,
            "contact",
            None,
            ("Ann Lee", "Bo, Ek"),
        ),
        Sees(
            Place("sales.yaml", 12),
            "Deals sees certain rows of task",
            "Deals",
            Subject.TEAM,
            "task",
            1,
            None,
            ("A",),
            ("B",),
        ),
    )


def test_a_statement_can_be_about_a_role() -> None:
    policy = read_text("tests:\n- {as: {role: Seller}, table: account, can: Read}", "p.yaml")

    assert [(each.who, each.subject) for each in policy.statements] == [("Seller", Subject.ROLE)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "p.yaml is empty"),
        ("tests:\n- {as: {role: a, team: b}, can: Read}", "p.yaml:2: 'as' names a user"),
        ("- a", "p.yaml:1: A policy is a mapping"),
        ("as: a", "p.yaml:1: A policy has 'tests'"),
        ("test: []", "p.yaml:1: A policy has no 'test'. Did you mean 'tests'?"),
        ("tests: {}", "p.yaml:1: 'tests' is a list"),
        ("tests:\n- {can: Read}", "p.yaml:2: The statement names nobody"),
        ("tests:\n- {as: a}", "p.yaml:2: A statement says 'can'"),
        ("tests:\n- {as: a, can: Read}", "p.yaml:2: 'can' and 'cannot' are about a 'row'"),
        ("tests:\n- {as: a, can: Read, row: {account: A}, table: account}", "p.yaml:2: 'can' and 'cannot' are about"),
        ("tests:\n- as: a\n  row: {account: A}\n  can: Raed", "p.yaml:4: 'Raed' is no right"),
        ("tests:\n- as: a\n  row: {account: A, contact: B}\n  can: Read", "p.yaml:3: 'row' is one table"),
        ("tests:\n- {as: a, table: account, can: Read, because: role-own}", "p.yaml:2: 'role-own' is no code"),
        ("tests:\n- {as: a, row: {x: y}, can: Read, because: no-roles}", "p.yaml:2: 'no-roles' is no code for why"),
        (
            "tests:\n- {as: a, row: {x: y}, can: Read, cannot: Write, because: share-direct}",
            "'because' is about either",
        ),
        ("tests:\n- {as: a, sees: {x: 1}, because: no-roles}", "p.yaml:2: 'because' belongs to"),
        ("tests:\n- {as: a, sees: {x: many}}", "p.yaml:2: 'many' is no number of rows"),
        ("tests:\n- {as: a, sees: {x: -1}}", "p.yaml:2: '-1' is no number of rows"),
        ("tests:\n- {as: a, sees: {x: {counts: 1}}}", "has no 'counts'. Did you mean 'count'?"),
        ("tests:\n- {as: a, as: b, sees: {x: 1}}", "p.yaml:2: 'as' stands here twice"),
        ("tests:\n- {as: {group: a}, sees: {x: 1}}", "p.yaml:2: 'as' has no 'group'"),
        ("tests:\n- {as: {}, sees: {x: 1}}", "p.yaml:2: 'as' names a user"),
        ("tests:\n- {as: [a], sees: {x: 1}}", "p.yaml:2: 'as' is a text"),
        ("tests: [", "p.yaml:1:9: expected the node content"),
        ("tests:\n- &a {as: a, sees: {x: 1}}\n- *a", "p.yaml:2: anchors are not read"),
        ("tests: [*a]", "p.yaml:1: aliases are not read"),
        ("tests: !!python/object/apply:os.system [ls]", "p.yaml:1: tags are not read"),
        ("a: 1\n---\nb: 2", "p.yaml:2:1: but found another document"),
        ("\x00", "p.yaml: "),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_text(text, "p.yaml")

    assert message in refused.value.message


def test_a_file_nested_beyond_reason_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="nested too deeply"):
        read_text("tests: " + "[" * 5_000 + "]" * 5_000, "p.yaml")


def test_a_folder_is_read_in_the_order_of_names(tmp_path: Path) -> None:
    for name in ("b.yml", "a.yaml", "c.txt"):
        (tmp_path / name).write_text("tests: []", encoding="utf-8")

    assert [Path(policy.file).name for policy in read_folder(tmp_path)] == ["a.yaml", "b.yml"]


def test_missing_empty_foreign_and_huge_files_are_refused(tmp_path: Path) -> None:
    huge, foreign = tmp_path / "huge.yaml", tmp_path / "foreign.yaml"
    huge.write_bytes(b"#" * (LARGEST_FILE + 1))
    foreign.write_bytes(b"\xff\xfe\x00t")
    (tmp_path / "none").mkdir()
    with pytest.raises(InvalidRequest, match="neither a file nor a folder"):
        read_folder(tmp_path / "missing")
    with pytest.raises(InvalidRequest, match="no files"):
        read_folder(tmp_path / "none")
    with pytest.raises(InvalidRequest, match="larger than 4 MB"):
        read_file(huge, "huge.yaml")
    with pytest.raises(InvalidRequest, match="not UTF-8"):
        read_file(foreign, "foreign.yaml")
