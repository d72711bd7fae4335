"""Any text is read or refused; what is written by the grammar is always read (WA-195, WA-196, WA-434)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_schema import ACCOUNT, CONTEXT, SCHEMA
from tests.profiles import examples

from strongroom.errors import StrongroomError
from strongroom.query.ast import (
    And,
    Comparison,
    Constant,
    Exists,
    Field,
    InList,
    IsNull,
    Literal,
    Match,
    Not,
    Operator,
    Or,
    OwnerIn,
    Predicate,
)
from strongroom.query.odata import parse_expression, read_filter, read_query, split_options, syntax
from strongroom.query.odata.negation import fails

# --- texts that the grammar makes --------------------------------------------------------------------------------

_TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8)


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


_OPERATORS = st.sampled_from(["eq", "ne", "gt", "ge", "lt", "le"])
_STRINGS = st.sampled_from(
    ["name", "accountnumber", "primarycontactid/fullname", "parentaccountid/parentaccountid/name"]
)
_NUMBERS = st.sampled_from(
    ["numberofemployees", "revenue", "address1_latitude", "industrycode", "parentaccountid/revenue"]
)
_LITERALS = st.one_of(st.integers(-(10**9), 10**9).map(str), st.decimals(-(10**6), 10**6, places=3).map(str))
_SPACES = st.sampled_from([" ", "  ", "\t"])

_text_comparisons = st.builds("{} {} {}".format, _STRINGS, _OPERATORS, _TEXTS.map(_quoted))
_number_comparisons = st.builds("{}{}{} {}".format, _NUMBERS, _SPACES, _OPERATORS, _LITERALS)
_mirrored = st.builds("{} {} {}".format, _LITERALS, _OPERATORS, _NUMBERS)
_nulls = st.builds("{} {} null".format, st.one_of(_STRINGS, _NUMBERS), st.sampled_from(["eq", "ne"]))
_functions = st.builds(
    "{}({},{})".format, st.sampled_from(["contains", "startswith", "endswith"]), _STRINGS, _TEXTS.map(_quoted)
)
_lists = st.builds("{} in ({})".format, _STRINGS, st.lists(_TEXTS.map(_quoted), min_size=1, max_size=3).map(",".join))
_leaves = st.one_of(_text_comparisons, _number_comparisons, _mirrored, _nulls, _functions, _lists)
_lambdas = st.builds(
    "Account_Tasks/{}(t:t/subject eq {} or t/percentcomplete {} {})".format,
    st.sampled_from(["any", "all"]),
    _TEXTS.map(_quoted),
    _OPERATORS,
    st.integers(0, 100),
)
FILTERS = st.recursive(
    st.one_of(_leaves, _lambdas),
    lambda inner: st.one_of(
        st.builds("({} and {})".format, inner, inner),
        st.builds("{} or {}".format, inner, inner),
        st.builds("not ({})".format, inner),
    ),
    max_leaves=8,
)


@given(FILTERS)
def test_every_filter_of_the_grammar_is_read(text: str):
    predicate, joins = read_filter(SCHEMA, ACCOUNT, text, CONTEXT)

    assert isinstance(predicate, Predicate)
    assert len({join.source.alias for join in joins}) == len(joins)


@given(_TEXTS)
def test_a_text_in_quotes_keeps_its_value(value: str):
    predicate, _ = read_filter(SCHEMA, ACCOUNT, f"name eq {_quoted(value)}", CONTEXT)

    assert isinstance(predicate, Comparison)
    assert getattr(predicate.right, "value", None) == value


def _printed(node: syntax.Node) -> str:
    """The expression with all its brackets."""
    match node:
        case syntax.Junction(is_and, parts):
            return f"({(' and ' if is_and else ' or ').join(_printed(part) for part in parts)})"
        case syntax.Negation(part):
            return f"not ({_printed(part)})"
        case syntax.Compare(operator, left, right):
            return f"{_printed(left)} {operator} {_printed(right)}"
        case syntax.Membership(operand, items):
            return f"{_printed(operand)} in {_printed(items)}"
        case syntax.Items(members):
            return f"({','.join(_printed(member) for member in members)})"
        case syntax.Call(name, arguments):
            return f"{name}({','.join(_printed(argument) for argument in arguments)})"
        case syntax.Lambda(path, is_any, variable, body):
            inner = "" if body is None else f"{variable}:{_printed(body)}"
            return f"{path.text}/{'any' if is_any else 'all'}({inner})"
        case syntax.Constant(kind, text):
            return _quoted(text) if kind is syntax.LiteralKind.STRING else text
        case syntax.Path():
            return node.text
        case syntax.Alias(name):
            return name


@given(FILTERS)
def test_printing_and_parsing_give_the_same_tree(text: str):
    once = _printed(parse_expression(text))

    assert _printed(parse_expression(once)) == once
    assert read_filter(SCHEMA, ACCOUNT, once, CONTEXT) == read_filter(SCHEMA, ACCOUNT, text, CONTEXT)


# --- texts that nothing makes ------------------------------------------------------------------------------------

_SCRAPS_OF_QUERIES = r"""
    ( ) , / : = ; ' " [ ] { } @p @ $it name eq ne and or not in any all t t/subject null true 5 -5.5 1e9 'x' 'it''s
    2024-01-01 2024-01-01T10:00:00Z 44444444-4444-4444-4444-444444444444 contains Account_Tasks primarycontactid
    primarycontactid/fullname ownerid _ownerid_value Microsoft.Dynamics.CRM.In Microsoft.Dynamics.CRM.Under
    Microsoft.Dynamics.CRM.InFiscalPeriod PropertyName PropertyValue PropertyValues 'name' ["a"] asc desc $select
    $filter $expand groupby aggregate filter with as sum $count * % \ é 1234567890123456789012345
"""
_PIECES = st.sampled_from(_SCRAPS_OF_QUERIES.split())
SCRAPS = (
    st.lists(_PIECES, max_size=25).map(" ".join) | st.lists(_PIECES, max_size=25).map("".join) | st.text(max_size=40)
)


@settings(max_examples=examples(300))
@given(st.sampled_from(["$filter", "$orderby", "$select", "$expand", "$apply", "$top", "$count", "@p"]), SCRAPS)
def test_any_option_is_read_or_refused(name: str, text: str):
    try:
        options = split_options(f"{name}={text.replace('&', '%26')}&@q='x'")
        read_query(SCHEMA, ACCOUNT, options, CONTEXT)
    except StrongroomError as error:
        assert error.message
        assert error.message.encode()  # the message can be sent
        assert 400 <= error.status < 500 or error.status == 501


_UNITS = (
    *(
        "(",
        ")",
        "[",
        "]",
        "{",
        "'",
        '"',
        "a.",
        "a/",
        "1",
        "-",
        "@a",
        "(a,",
        "a(",
        "a($expand=",
        "not ",
        "not(",
        "name eq ",
    ),
    *(
        "name/",
        "'a'",
        '"\\',
        "2024-01-01T",
        "Account_Tasks/any(t:",
        "[[",
        "(1 eq ",
        "contains(",
        "filter(",
        "groupby((",
    ),
)


@given(st.text("()'\"[]{},;:/ \t", max_size=200))
def test_any_heap_of_marks_is_refused(text: str):
    for name in ("$filter", "$expand", "$apply", "$orderby"):
        try:
            read_query(SCHEMA, ACCOUNT, split_options(f"{name}={text.replace('+', ' ')}"), CONTEXT)
        except StrongroomError as error:
            assert error.status == 400


@pytest.mark.parametrize("name", ["$filter", "$expand", "$orderby", "$apply", "$select"])
def test_long_repetitions_end_in_an_error(name: str):
    """WA-196, WA-434: nothing recurses with the length of the text, and nothing takes long."""
    for unit in _UNITS:
        with pytest.raises(StrongroomError):
            read_query(SCHEMA, ACCOUNT, split_options(f"{name}={unit * (8_000 // len(unit))}"), CONTEXT)


def test_row_predicates_of_plans_are_never_unknown():
    owned = OwnerIn("", frozenset({1}))

    assert fails(owned) == Not(owned)


# --- the two-valued opposite -------------------------------------------------------------------------------------

_LEAVES = st.sampled_from(
    ["name eq 'a'", "name ne 'a'", "name eq null", "name ne null", "numberofemployees gt 1", "numberofemployees in (1)",
     "startswith(name,'a')", "true", "Account_Tasks/any()", "numberofemployees lt 1.5", "name gt accountnumber"]
)  # fmt: skip
_TREES = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        st.builds("({} and {})".format, inner, inner),
        st.builds("({} or {})".format, inner, inner),
        st.builds("not ({})".format, inner),
    ),
    max_leaves=6,
)


def _truth(predicate: Predicate, row: dict[str, object]) -> bool | None:
    """SQL's three-valued truth, for the predicates of these tests."""
    match predicate:
        case And(parts):
            truths = [_truth(part, row) for part in parts]
            return False if False in truths else None if None in truths else True
        case Or(parts):
            truths = [_truth(part, row) for part in parts]
            return True if True in truths else None if None in truths else False
        case Not(part):
            truth = _truth(part, row)
            return None if truth is None else not truth
        case Constant(value):
            return value
        case Exists(negated=negated):
            return row["tasks"] is not negated
        case IsNull(operand, negated):
            return (row[operand.column.logical_name] is None) is not negated
        case Comparison(operator, left, right):
            return _compared(operator, _value(left, row), _value(right, row))
        case InList(operand, values, negated):
            value = row[operand.column.logical_name]
            return None if value is None else (value in [literal.value for literal in values]) is not negated
        case Match(_, operand, pattern, negated):
            value = row[operand.column.logical_name]
            return None if value is None else str(value).startswith(pattern) is not negated
        case _:
            raise AssertionError(predicate)


def _value(expression: object, row: dict[str, object]) -> object:
    match expression:
        case Literal(value):
            return value
        case Field(_, column):
            return row[column.logical_name]
        case _:
            raise AssertionError(expression)


def _compared(operator: Operator, left: object, right: object) -> bool | None:
    if left is None or right is None:
        return None
    order = (0 if left == right else -1) if str(left) <= str(right) else 1
    return order in {"=": (0,), "<>": (-1, 1), ">": (1,), ">=": (0, 1), "<": (-1,), "<=": (-1, 0)}[operator.value]


@given(
    _TREES,
    st.fixed_dictionaries(
        {
            "name": st.sampled_from([None, "a", "b"]),
            "accountnumber": st.sampled_from([None, "a", "b"]),
            "numberofemployees": st.sampled_from([None, 1, 2]),
            "tasks": st.booleans(),
        }
    ),
)
def test_the_opposite_holds_exactly_where_the_condition_does_not(text: str, row: dict[str, object]):
    """WA-193: `all` counts unknown as failing, so the opposite is never unknown and never agrees."""
    predicate, _ = read_filter(SCHEMA, ACCOUNT, text, CONTEXT)

    assert _truth(fails(predicate), row) is (_truth(predicate, row) is not True)
