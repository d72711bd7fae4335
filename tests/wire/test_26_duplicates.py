"""Section 26: duplicate rules (WA-422)."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
from tests.wire.client import NS, Api, Json, Person, unique
from tests.wire.multipart import answers, change_set, multipart, part, post, request

DETECT = {"MSCRM.SuppressDuplicateDetection": "false"}
REFUSED: dict[str, Any] = {
    "status": 412,
    "code": "0x80040333",
    "says": "A record was not created or updated because a duplicate of the current record already exists.",
}
NewRule = Callable[..., str]


def publish(api: Api, rule: str) -> Json:
    answer = api.send("POST", f"duplicaterules({rule})/{NS}.PublishDuplicateRule", {})
    assert answer.status_code == 200, answer.text
    return answer.json()


def unpublish(api: Api, rule: str) -> None:
    answer = api.send("POST", "UnpublishDuplicateRule", {"DuplicateRuleId": rule})
    assert answer.status_code == 204, answer.text


@pytest.fixture
def new_rule(api: Api) -> Iterator[NewRule]:
    """Makes a rule with conditions, publishes it unless told, and removes it after the test."""
    made: list[str] = []

    def make(
        *columns: str, base: str = "account", matching: str = "account", published: bool = True, **own: Any
    ) -> str:
        shared = {name: own.pop(name) for name in ("ignoreblankvalues", "operatorcode", "operatorparam") if name in own}
        body = {"name": unique("rule"), "baseentityname": base, "matchingentityname": matching, **own}
        rule = api.new("duplicaterules", body)
        made.append(rule)
        for name in columns:
            one, _, other = name.partition("=")
            condition = {
                "baseattributename": one,
                "matchingattributename": other or one,
                "operatorcode": 0,
                "regardingobjectid@odata.bind": f"duplicaterules({rule})",
                **shared,
            }
            api.new("duplicateruleconditions", condition)
        if published:
            publish(api, rule)
        return rule

    yield make
    for rule in made:
        assert api.send("DELETE", f"duplicaterules({rule})").status_code == 204
        assert api.rows(f"duplicateruleconditions?$filter=_regardingobjectid_value eq {rule}") == []


def count(api: Api, name: str) -> int:
    return len(api.rows(f"accounts?$select=name&$filter=name eq '{name}'"))


def test_a_duplicate_is_refused_when_asked_and_only_then(api: Api, new_rule: NewRule) -> None:
    """WA-422: absent and `true` are off; text without regard to case; nothing is stored."""
    new_rule("name")
    name = unique("Dup")
    api.new("accounts", {"name": name}, DETECT)

    api.refused("POST", "accounts", {"name": name.upper()}, headers=DETECT, **REFUSED)
    api.refused("POST", "accounts", {"name": name}, headers={"mscrm.suppressduplicatedetection": "False"}, **REFUSED)
    assert count(api, name) == 1
    api.new("accounts", {"name": name})
    api.new("accounts", {"name": name}, {"MSCRM.SuppressDuplicateDetection": "true"})
    assert count(api, name) == 3


def test_updates_and_upserts_are_held_against_the_rules(api: Api, new_rule: NewRule) -> None:
    """WA-422: a row is not its own duplicate."""
    new_rule("name")
    first, second = unique("Dup"), unique("Dup")
    row = api.new("accounts", {"name": first})
    other = api.new("accounts", {"name": second})

    assert api.send("PATCH", f"accounts({row})", {"name": first, "fax": "1"}, headers=DETECT).status_code == 204
    api.refused("PATCH", f"accounts({other})", {"name": first}, headers=DETECT, **REFUSED)
    assert api.get(f"accounts({other})?$select=name")["name"] == second
    free = "7d9f6a52-5a3e-4c1b-9d3f-00000000d0b1"
    api.refused("PATCH", f"accounts({free})", {"name": first}, headers=DETECT, **REFUSED)
    api.refused("GET", f"accounts({free})", status=404)


def test_a_rule_counts_while_it_is_published(api: Api, new_rule: NewRule) -> None:
    """Published and unpublished by message and by its state; its conditions change only in between."""
    rule = new_rule("name", published=False)
    name = unique("Dup")
    for _ in range(2):
        api.new("accounts", {"name": name}, DETECT)
    job = publish(api, rule)
    assert api.get(f"asyncoperations({job['asyncoperationid']})")["operationtype"] == 7
    shown = api.get(f"duplicaterules({rule})")
    assert [shown[column] for column in ("statecode", "statuscode", "baseentitytypecode")] == [1, 2, 1]
    api.refused("POST", "accounts", {"name": name}, headers=DETECT, **REFUSED)

    condition = api.rows(f"duplicateruleconditions?$filter=_regardingobjectid_value eq {rule}")[0]
    place = f"duplicateruleconditions({condition['duplicateruleconditionid']})"
    api.refused("PATCH", place, {"operatorcode": 1, "operatorparam": 2}, status=400, says="unpublish")
    api.refused("DELETE", place, status=400, says="unpublish")
    unpublish(api, rule)
    assert api.get(f"duplicaterules({rule})")["statuscode"] == 0
    api.new("accounts", {"name": name}, DETECT)
    assert api.send("PATCH", f"duplicaterules({rule})", {"statecode": 1}).status_code == 204
    api.refused("POST", "accounts", {"name": name}, headers=DETECT, **REFUSED)


def test_all_conditions_of_a_rule_must_hold(api: Api, new_rule: NewRule) -> None:
    """Blanks are alike unless they are ignored; the only condition of a rule ignores them always."""
    new_rule("name", "telephone1")
    name = unique("Dup")
    api.new("accounts", {"name": name, "telephone1": "1"})
    api.new("accounts", {"name": name, "telephone1": "2"}, DETECT)
    api.new("accounts", {"name": name}, DETECT)
    api.refused("POST", "accounts", {"name": name, "telephone1": "2"}, headers=DETECT, **REFUSED)
    api.refused("POST", "accounts", {"name": name}, headers=DETECT, **REFUSED)


def test_blanks_can_be_ignored(api: Api, new_rule: NewRule) -> None:
    new_rule("name", "telephone1", ignoreblankvalues=True)
    new_rule("accountnumber")
    name = unique("Dup")
    for _ in range(2):
        api.new("accounts", {"name": name}, DETECT)


def test_inactive_rows_can_be_left_out(api: Api, new_rule: NewRule) -> None:
    new_rule("name", excludeinactiverecords=True)
    name = unique("Dup")
    row = api.new("accounts", {"name": name})
    assert api.send("PATCH", f"accounts({row})", {"statecode": 1}).status_code == 204

    api.new("accounts", {"name": name}, DETECT)
    api.refused("POST", "accounts", {"name": name}, headers=DETECT, **REFUSED)


def test_case_counts_where_a_rule_says_so(api: Api, new_rule: NewRule) -> None:
    new_rule("name", iscasesensitive=True)
    name = unique("Dup")
    api.new("accounts", {"name": name})
    api.new("accounts", {"name": name.upper()}, DETECT)
    api.refused("POST", "accounts", {"name": name}, headers=DETECT, **REFUSED)


def test_rows_of_another_table_can_be_duplicates(api: Api, new_rule: NewRule) -> None:
    """Wildcards in the value stand for themselves."""
    new_rule("name=lastname", matching="contact", operatorcode=1, operatorparam=12)
    stem = unique("D%p_[")[:12].ljust(12, "x")
    api.new("contacts", {"lastname": f"{stem} one"})
    api.refused("POST", "accounts", {"name": f"{stem.upper()} two"}, headers=DETECT, **REFUSED)
    api.new("accounts", {"name": f"{stem.replace('%', 'u')} two"}, DETECT)


def test_each_part_of_a_batch_says_for_itself(api: Api, new_rule: NewRule) -> None:
    """WA-422 in single parts and in change sets, which are undone as a whole."""
    new_rule("name")
    name, other = unique("Dup"), unique("Dup")
    api.new("accounts", {"name": name})

    def create(value: str, headers: dict[str, str] | None = None) -> str:
        return part(request("POST", "accounts", {"name": value}, headers=headers), "1")

    silent = answers(post(api, multipart([create(name)]), DETECT))
    asking = answers(post(api, multipart([create(name, DETECT)])))
    mixed = answers(post(api, multipart([change_set([create(other, DETECT), create(name), create(name)])])))
    failed = answers(post(api, multipart([change_set([create(unique()), create(other, DETECT)])])))
    among = unique("Dup")
    twins = answers(post(api, multipart([change_set([create(among), create(among, DETECT)])])))

    assert [answer.status for answer in silent] == [204]
    assert [(answer.status, answer.json["error"]["code"]) for answer in asking] == [(412, "0x80040333")]
    assert [answer.status for answer in mixed] == [204, 204, 204]
    assert [answer.status for answer in failed] == [412]
    assert [answer.status for answer in twins] == [412]
    assert (count(api, name), count(api, other), count(api, among)) == (4, 1, 0)


def test_bulk_messages_name_the_target(api: Api, new_rule: NewRule) -> None:
    """WA-303, WA-422: rows of one request are duplicates of each other too."""
    new_rule("name")
    names = [unique("Dup"), unique("Dup")]
    rows = [api.new("accounts", {"name": name}) for name in names]

    def bulk(message: str, targets: list[Json]) -> None:
        body = {"Targets": [{"@odata.type": f"{NS}.account", **target} for target in targets]}
        says: dict[str, Any] = {**REFUSED, "says": "(target 1)"}
        api.refused("POST", f"accounts/{NS}.{message}", body, headers=DETECT, **says)

    fresh = unique("Dup")
    bulk("CreateMultiple", [{"name": unique("Dup")}, {"name": names[0]}])
    bulk("UpdateMultiple", [{"accountid": rows[0], "fax": "1"}, {"accountid": rows[1], "name": names[0]}])
    bulk("UpsertMultiple", [{"accountid": rows[0], "name": fresh}, {"accountid": rows[1], "name": fresh}])
    twins = {"Targets": [{"@odata.type": f"{NS}.account", "name": fresh}] * 2}
    api.refused("POST", f"accounts/{NS}.CreateMultiple", twins, headers=DETECT, **REFUSED)
    assert count(api, fresh) == 0


def test_rows_that_the_caller_may_not_read_are_not_told_of(api: Api, reader: Person, new_rule: NewRule) -> None:
    """WA-422, SM-153: the administrator's row is hidden from the reader, who sees the own one."""
    new_rule("name")
    hidden, own = unique("Dup"), unique("Dup")
    api.new("accounts", {"name": hidden})
    api.new("accounts", {"name": own}, reader.acting)

    api.new("accounts", {"name": hidden}, {**DETECT, **reader.acting})
    api.refused("POST", "accounts", {"name": own}, headers={**DETECT, **reader.acting}, **REFUSED)
    api.refused("POST", "accounts", {"name": hidden}, headers=DETECT, **REFUSED)


def test_rules_that_make_no_sense_are_refused(api: Api, new_rule: NewRule) -> None:
    body = {"name": unique("rule"), "baseentityname": "nothing"}
    api.refused("POST", "duplicaterules", body, status=400, says="baseentityname")
    body = {"name": unique("rule"), "baseentityname": "account", "statecode": 1}
    api.refused("POST", "duplicaterules", body, status=400, says="publish it afterwards")
    rule = new_rule(published=False)
    api.refused("POST", f"duplicaterules({rule})/{NS}.PublishDuplicateRule", {}, status=400, says="no conditions")
    for wrong, says in (
        ({"baseattributename": "nothing"}, "baseattributename"),
        ({"matchingattributename": "revenue"}, "cannot be compared"),
        ({"operatorcode": 3}, "cannot be compared"),
        ({"operatorcode": 1}, "operatorparam"),
    ):
        condition = {
            "baseattributename": "name",
            "matchingattributename": "name",
            "operatorcode": 0,
            "regardingobjectid@odata.bind": f"duplicaterules({rule})",
            **wrong,
        }
        api.refused("POST", "duplicateruleconditions", condition, status=400, says=says)


def test_five_rules_of_a_table_are_published_at_most(api: Api, new_rule: NewRule) -> None:
    for _ in range(5):
        new_rule("lastname", base="contact", matching="contact")
    rule = new_rule("lastname", base="contact", matching="contact", published=False)
    api.refused("PATCH", f"duplicaterules({rule})", {"statecode": 1}, status=400, says="At most 5")


def retrieve(api: Api, entity: Json, matching: str, headers: dict[str, str] | None = None, **paging: int) -> list[str]:
    """The ids that RetrieveDuplicates answers."""
    call = "RetrieveDuplicates(BusinessEntity=@p1,MatchingEntityName=@p2,PagingInfo=@p3)"
    values = f"@p1={quote(json.dumps(entity))}&@p2='{matching}'&@p3={quote(json.dumps(paging))}"
    answer = api.get(f"{call}?{values}", headers)
    assert answer["@odata.context"] == f"{api.root}$metadata#Collection(mscrm.crmbaseentity)"
    assert all(row["@odata.type"] == f"#{NS}.{matching}" for row in answer["value"])
    return [row[f"{matching}id"] for row in answer["value"]]


def test_the_duplicates_of_a_row_are_retrieved_page_by_page(api: Api, reader: Person, new_rule: NewRule) -> None:
    """WA-403: of a stored row and of one that is not, with the caller's eyes."""
    new_rule("name", "telephone1", ignoreblankvalues=True)
    name = unique("Dup")
    rows = [api.new("accounts", {"name": name, "telephone1": "1"}) for _ in range(3)]
    own = api.new("accounts", {"name": name, "telephone1": "1"}, reader.acting)
    account = {"@odata.type": f"{NS}.account"}

    assert set(retrieve(api, {**account, "name": name.upper(), "telephone1": "1"}, "account")) == {*rows, own}
    assert retrieve(api, {**account, "name": name, "telephone1": "2"}, "account") == []
    stored = {**account, "accountid": rows[0]}
    assert set(retrieve(api, stored, "account")) == {*rows[1:], own}
    assert retrieve(api, {**stored, "telephone1": "2"}, "account") == []
    assert retrieve(api, {**account, "name": name, "telephone1": "1"}, "account", reader.acting) == [own]
    pages = [retrieve(api, stored, "account", PageNumber=number, Count=2) for number in (1, 2)]
    assert [len(page) for page in pages] == [2, 1]
    assert retrieve(api, stored, "contact") == []
    for bad in (
        "BusinessEntity=@p1,MatchingEntityName='nope'",
        "BusinessEntity=@p1,MatchingEntityName='account',Page=1",
    ):
        api.refused("GET", f"RetrieveDuplicates({bad})?@p1={quote(json.dumps(stored))}", status=400)


def test_a_job_looks_for_the_duplicates_of_many_rows(api: Api, new_rule: NewRule) -> None:
    """WA-422: pairs are rows of `duplicaterecord`."""
    rule = new_rule("name")
    name = unique("Dup")
    rows = {api.new("accounts", {"name": name}) for _ in range(2)}
    criteria = {"Conditions": [{"AttributeName": "name", "Operator": "Equal", "Values": [name]}]}
    body = {"JobName": name, "Query": {"EntityName": "account", "Criteria": criteria}, "SendEmailNotification": False}
    answer = api.send("POST", "BulkDetectDuplicates", body)
    assert answer.status_code == 200, answer.text

    job = answer.json()["JobId"]
    assert api.ended(job)["message"] == "2 rows looked at, 1 pairs of duplicates found."
    (pair,) = api.rows(f"duplicaterecords?$filter=_asyncoperationid_value eq {job}")
    assert {pair["_baserecordid_value"], pair["_duplicaterecordid_value"]} == rows
    assert pair["_duplicateruleid_value"] == rule
