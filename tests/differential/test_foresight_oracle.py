"""Questions about everybody on random worlds: they agree with the questions about one, and with the oracle."""

from typing import Any

from access_world import RIGHTS, SCHEMA, Telling
from directories import directory_of
from hypothesis import given, settings
from hypothesis import strategies as st
from random_worlds import worlds
from tests.profiles import examples

from oracle.decision import decide
from strongroom.access.columns import mask_of
from strongroom.access.explain import Question, explain
from strongroom.access.resolve import resolve
from strongroom.access.view import helpful_teams
from strongroom.access.who import who_can

World = dict[str, Any]
SMALL = settings(deadline=None, max_examples=examples(60))


@SMALL
@given(worlds())
def test_who_can_agrees_with_explain_and_with_the_oracle_user_by_user(world: World) -> None:
    """SM-164: the same users, and for each of them the same reasons with the same sources."""
    told = Telling(world)
    directory = directory_of(told)
    for row in world["rows"].values():
        for right in RIGHTS:
            question = Question(SCHEMA.tables[row["table"]], RIGHTS[right], told.row(row))

            found = {access.user.name: set(access.reasons) for access in who_can(directory, SCHEMA, question)}

            alone = {user: explain(told.facts(user), SCHEMA, question) for user in world["users"]}
            assert found == {user: set(each.reasons) for user, each in alone.items() if each.allowed}
            decisions = {user: decide(world, user, right, row) for user in world["users"]}
            codes = {user: {str(reason.code) for reason in reasons} for user, reasons in found.items()}
            assert codes == {user: codes for user, (allowed, codes, _) in decisions.items() if allowed}


@SMALL
@given(worlds())
def test_the_directory_opens_the_columns_that_the_profiles_of_each_user_open(world: World) -> None:
    """SM-131."""
    told = Telling(world)
    directory = directory_of(told)
    for user in world["users"]:
        whole, alone = (
            mask_of(resolve(facts, SCHEMA, 1), SCHEMA.tables["account"])
            for facts in (directory.facts_of(told.keys[user]), told.facts(user))
        )

        assert whole == alone


@SMALL
@given(worlds(), st.data())
def test_no_team_that_would_help_is_left_out(world: World, data: st.DataObject) -> None:
    """SM-162: the teams that are tried are all that count."""
    told = Telling(world)
    directory = directory_of(told)
    user = data.draw(st.sampled_from(sorted(world["users"])))
    right = data.draw(st.sampled_from(sorted(RIGHTS)))
    facts = told.facts(user)
    for row in world["rows"].values():
        question = Question(SCHEMA.tables[row["table"]], RIGHTS[right], told.row(row))
        assert question.row is not None
        tried = helpful_teams(directory, facts, question.table, question.right, question.row)

        some = explain(facts, SCHEMA, question, [directory.facts_of(team.key) for team in tried])

        assert some.would_allow == explain(facts, SCHEMA, question, told.teams()).would_allow
