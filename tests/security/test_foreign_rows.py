"""Attempts on rows of somebody else, and on tables that only the platform writes. Each is refused with its status and
code, and the row stays as it is."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.security.realm import NS, Answer, Json, Realm, privileges
from tests.security.test_escalation import NO_ACCESS, NO_PRIVILEGE, NOT_WRITABLE, new_name

from strongroom.system_jobs import runner_of


@pytest.fixture(autouse=True)
def bobs_account_stays_as_it_is(realm: Realm) -> object:
    """Whatever was tried, Bob's rows look as before."""
    paths = [f"{table}s({realm.ids[f'{table} of bob']})" for table in ("account", "contact", "task")]
    before = [realm.get("bob", path).json for path in paths]
    yield
    assert [realm.get("bob", path).json for path in paths] == before


def target(table: str, row: str, **columns: object) -> Json:
    """One member of `Targets`."""
    return {"@odata.type": f"{NS}{table}", f"{table}id": row, **columns}


def attempts(realm: Realm) -> dict[str, tuple[str, str, object]]:
    """What Ann tries on Bob's account."""
    mine, theirs = realm.ids["account of ann"], realm.ids["account of bob"]
    contact = realm.ids["contact of ann"]
    return {
        "read": ("GET", f"accounts({theirs})", None),
        "read a column": ("GET", f"accounts({theirs})/name", None),
        "read a value": ("GET", f"accounts({theirs})/name/$value", None),
        "read children": ("GET", f"accounts({theirs})/Account_Tasks", None),
        "count children": ("GET", f"accounts({theirs})/Account_Tasks/$count", None),
        "read the parent": ("GET", f"accounts({theirs})/primarycontactid", None),
        "read references": ("GET", f"accounts({theirs})/Account_Tasks/$ref", None),
        "update": ("PATCH", f"accounts({theirs})", {"name": "mine"}),
        "change nothing": ("PATCH", f"accounts({theirs})", {}),
        "set a column": ("PUT", f"accounts({theirs})/name", {"value": "mine"}),
        "empty a column": ("DELETE", f"accounts({theirs})/name", None),
        "delete": ("DELETE", f"accounts({theirs})", None),
        "take over": ("PATCH", f"accounts({theirs})", {"ownerid@odata.bind": f"/systemusers({realm.people['ann']})"}),
        "bind": ("PATCH", f"accounts({theirs})", {"primarycontactid@odata.bind": f"/contacts({contact})"}),
        "put a reference": ("PUT", f"accounts({theirs})/primarycontactid/$ref", realm.ref("contacts", contact)),
        "empty a reference": ("DELETE", f"accounts({theirs})/primarycontactid/$ref", None),
        "pull a child": ("POST", f"accounts({mine})/Account_Tasks/$ref", realm.ref("tasks", realm.ids["task of bob"])),
        "push a child": (
            "POST",
            f"accounts({theirs})/Account_Tasks/$ref",
            realm.ref("tasks", realm.ids["task of ann"]),
        ),
        "update many": ("POST", f"accounts/{NS}UpdateMultiple", {"Targets": [target("account", theirs, name="x")]}),
        "update mine and theirs": (
            "POST",
            f"accounts/{NS}UpdateMultiple",
            {"Targets": [target("account", mine, name="x"), target("account", theirs, name="x")]},
        ),
        "upsert many": ("POST", f"accounts/{NS}UpsertMultiple", {"Targets": [target("account", theirs, name="x")]}),
        "delete many": ("POST", f"accounts/{NS}DeleteMultiple", {"Targets": [target("account", theirs)]}),
        "delete mine and theirs": (
            "POST",
            f"accounts/{NS}DeleteMultiple",
            {"Targets": [target("account", mine), target("account", theirs)]},
        ),
        "ask who has it": (
            "GET",
            f"RetrieveSharedPrincipalsAndAccess(Target=@t)?@t={{'@odata.id':'accounts({theirs})'}}",
            None,
        ),
        "ask what Bob has on it": (
            "GET",
            f"systemusers({realm.people['bob']})/{NS}RetrievePrincipalAccess(Target=@t)"
            f"?@t={{'@odata.id':'accounts({theirs})'}}",
            None,
        ),
        "create under it": (
            "POST",
            "tasks",
            {"subject": "x", "regardingobjectid_account_task@odata.bind": f"/accounts({theirs})"},
        ),
        "create for Bob": (
            "POST",
            "accounts",
            {"name": "x", "ownerid@odata.bind": f"/systemusers({realm.people['bob']})"},
        ),
        "create with a binding to it": (
            "POST",
            "contacts",
            {"lastname": "x", "parentcustomerid_account@odata.bind": f"/accounts({theirs})"},
        ),
    }


NAMES = (
    *("read", "read a column", "read a value", "read children", "count children", "read the parent", "read references"),
    *("update", "change nothing", "set a column", "empty a column", "delete", "take over", "bind", "put a reference"),
    *("empty a reference", "pull a child", "push a child", "update many", "update mine and theirs", "upsert many"),
    *("delete many", "delete mine and theirs", "ask who has it", "ask what Bob has on it", "create under it"),
    *("create for Bob", "create with a binding to it"),
)


@pytest.mark.parametrize("name", NAMES)
def test_a_row_of_somebody_else_is_out_of_reach(realm: Realm, name: str) -> None:
    """SM-151: the row exists and is refused; no answer shows anything of it."""
    method, path, body = attempts(realm)[name]
    answer = realm.send("ann", method, path, body)
    assert answer.refusal == NO_ACCESS
    assert "of bob" not in answer.text
    assert realm.get("ann", f"accounts({realm.ids['account of ann']})").json["name"] == "Account of ann"


@pytest.mark.parametrize("name", ["read", "read a value", "read children", "set a column", "delete", "put a reference"])
def test_a_row_that_is_not_there_is_told_from_one_that_is_out_of_reach(realm: Realm, name: str) -> None:
    """SM-152: 404; that a row exists is no secret to those who hold the privilege."""
    method, path, body = attempts(realm)[name]
    gone = path.replace(realm.ids["account of bob"], "00000000-0000-4000-8000-0000000000ff")
    assert realm.send("ann", method, gone, body).refusal == (404, "0x80040217")
    assert (
        realm.send("hal", method, path, body).refusal == realm.send("hal", method, gone, body).refusal == NO_PRIVILEGE
    )


def test_an_upsert_does_not_update_or_show_a_row_of_somebody_else(realm: Realm) -> None:
    """SM-155, WA-143."""
    theirs = f"accounts({realm.ids['account of bob']})"
    for headers in ({}, {"If-Match": "*"}, {"Prefer": "return=representation"}):
        answer = realm.send("ann", "PATCH", theirs, {"name": "mine"}, headers=headers)
        assert answer.refusal == NO_ACCESS
    answer = realm.send("ann", "PATCH", theirs, {"name": "mine"}, headers={"If-None-Match": "*"})
    assert answer.refusal == (412, "0x80040237")


def test_a_taken_id_is_refused_without_showing_the_row(realm: Realm) -> None:
    """WA-107: ids are unique for everybody, so that one is taken cannot be hidden."""
    answer = realm.send("ann", "POST", "accounts", {"name": "x", "accountid": realm.ids["account of bob"]})
    assert answer.refusal == (412, "0x80040237")
    assert "of bob" not in answer.text


def test_nobody_shares_what_they_cannot_share(realm: Realm) -> None:
    """SM-73, SM-74."""
    theirs = realm.ids["account of bob"]
    assert realm.share("account", theirs, "ann", "ReadAccess", by="ann").refusal == NO_ACCESS
    assert realm.share("account", theirs, "rex", "ReadAccess", by="rex").refusal == NO_PRIVILEGE


def test_nobody_shares_more_than_they_have(realm: Realm) -> None:
    """SM-74: Share and Read on a row do not give away Write and Delete."""
    row = realm.create("accounts", {"name": new_name()})
    assert realm.share("account", row, "ann", "ReadAccess, ShareAccess").status == 204
    for mask in ("WriteAccess", "ReadAccess, DeleteAccess", "AssignAccess"):
        assert realm.share("account", row, "bob", mask, by="ann").refusal == NO_ACCESS
    assert realm.share("account", row, "ann", "WriteAccess", by="ann").refusal == NO_ACCESS
    assert realm.share("account", row, "bob", "ReadAccess", by="ann").status == 204


def test_nobody_gives_rows_away_without_assign(realm: Realm) -> None:
    """SM-90: a share with everything but Assign."""
    row = realm.create("accounts", {"name": new_name()})
    realm.share("account", row, "ann", "ReadAccess, WriteAccess, AppendAccess, DeleteAccess, ShareAccess")
    body = {"name": "x", "ownerid@odata.bind": f"/systemusers({realm.people['ann']})"}
    assert realm.send("ann", "PATCH", f"accounts({row})", body).refusal == NO_ACCESS
    assert realm.get("admin", f"accounts({row})").json["name"] != "x"


# --- cascades and jobs ----------------------------------------------------------------------------------------------


def test_a_delete_does_not_take_along_rows_that_may_not_be_deleted(realm: Realm) -> None:
    """SM-6, SM-104: one refusal refuses all."""
    owner = {"ownerid@odata.bind": f"/systemusers({realm.people['bob']})"}
    parent = realm.create("accounts", {"name": new_name(), **owner})
    below = {"regardingobjectid_account_task@odata.bind": f"/accounts({parent})"}
    child = realm.create("tasks", {"subject": new_name(), **owner, **below})
    rights = {"prvReadAccount": "Global", "prvDeleteAccount": "Global"}
    for more, refusal in (({}, NO_PRIVILEGE), ({"prvDeleteActivity": "Basic"}, NO_ACCESS)):
        who = new_name()
        realm.user(who, realm.ids["north"], realm.role(new_name(), realm.ids["root"], rights | more))
        assert realm.send(who, "DELETE", f"accounts({parent})").refusal == refusal
    assert realm.get("admin", f"accounts({parent})").status == 200
    assert realm.get("admin", f"tasks({child})").status == 200


def bulk(realm: Realm, who: str, table: str, criteria: Json | None = None, links: list[Json] | None = None) -> Answer:
    """A BulkDelete of one query."""
    query: Json = {"EntityName": table, "ColumnSet": {"AllColumns": False, "Columns": []}}
    if criteria is not None:
        query["Criteria"] = criteria
    if links is not None:
        query["LinkEntities"] = links
    return realm.send(who, "POST", "BulkDelete", {"JobName": "x", "QuerySet": [query]})


def deleter(realm: Realm) -> str:
    """Somebody who may run bulk deletes, reads every account, and deletes only own ones."""
    name = new_name()
    rights = privileges(("account",), "Global", realm.schema, ("Read",)) | {"prvDeleteAccount": "Basic"}
    realm.user(
        name, realm.ids["north"], realm.role(new_name(), realm.ids["root"], rights | {"prvBulkDelete": "Global"})
    )
    return name


def test_a_bulk_delete_takes_its_privilege(realm: Realm) -> None:
    """WA-404: prvBulkDelete; deleting row by row needs no such thing."""
    assert bulk(realm, "ann", "account").refusal == NO_PRIVILEGE
    assert bulk(realm, "nobody", "account").refusal == (403, "0x80042f09")
    assert realm.get("ann", f"accounts({realm.ids['account of ann']})").status == 200


def test_a_bulk_delete_does_not_delete_rows_of_others(realm: Realm) -> None:
    """WA-308: with the caller's rights row by row; what it could not delete is told to those who may read the job."""
    who, name = deleter(realm), new_name()
    own = realm.create("accounts", {"name": name, "ownerid@odata.bind": f"/systemusers({realm.people[who]})"})
    foreign = realm.create("accounts", {"name": name})
    criteria = {"Conditions": [{"AttributeName": "name", "Operator": "Equal", "Values": [name]}]}
    begun = bulk(realm, who, "account", criteria)
    job = begun.json["JobId"]
    assert realm.get(who, f"asyncoperations({job})").refusal == NO_PRIVILEGE

    assert runner_of(realm.environment).run_due() == 1

    assert realm.get("admin", f"accounts({own})").status == 404
    assert realm.get("admin", f"accounts({foreign})").status == 200
    failures = realm.get("admin", f"bulkdeletefailures?$filter=_asyncoperationid_value eq {job}").rows
    assert [each["_regardingobjectid_value"] for each in failures] == [foreign]


@pytest.mark.parametrize("who", ["ann", "admin"])
def test_system_jobs_are_not_written_by_callers(realm: Realm, who: str) -> None:
    """SM-29: a job acts as the user who began it, so nobody else says what it does."""
    for path in ("asyncoperations", "bulkdeleteoperations", "bulkdeletefailures", "duplicaterecords"):
        assert realm.send(who, "POST", path, {"name": "x"} if path < "bulkdeletef" else {}).status in (400, 403)
    job = realm.send("admin", "POST", "BulkDelete", later()).json["JobId"]
    for body in (
        {"data": "{}"},
        {"operationtype": 203},
        {"createdby@odata.bind": f"/systemusers({realm.people[who]})"},
    ):
        answer = realm.send(who, "PATCH", f"asyncoperations({job})", body)
        assert answer.status in (204, 400, 403)
    shown = realm.get("admin", f"asyncoperations({job})").json
    assert (shown["operationtype"], shown["_createdby_value"], shown["statecode"]) == (13, realm.people["admin"], 1)
    assert realm.send("admin", "PATCH", f"asyncoperations({job})", {"statecode": 3, "statuscode": 31}).status == 400
    assert realm.send("admin", "PATCH", f"asyncoperations({job})", {"statecode": 3, "statuscode": 32}).status == 204
    assert realm.send("admin", "PATCH", f"asyncoperations({job})", {"statecode": 0}).status == 400


def later() -> Json:
    """A bulk delete of nothing, in a year."""
    nothing = {"Conditions": [{"AttributeName": "name", "Operator": "Null"}]}
    start = (datetime.now(UTC) + timedelta(days=365)).isoformat()
    return {"JobName": "x", "QuerySet": [{"EntityName": "account", "Criteria": nothing}], "StartDateTime": start}


def test_a_bulk_delete_reads_no_table_that_its_caller_may_not(realm: Realm) -> None:
    """SM-153: the query is a read; tables linked in it are refused altogether."""
    assert bulk(realm, deleter(realm), "contact").refusal == NO_PRIVILEGE
    assert bulk(realm, deleter(realm), "account", links=[{"LinkToEntityName": "contact"}]).refusal == NOT_WRITABLE


# --- what only the platform writes ----------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["ann", "admin"])
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("principalobjectaccessset", {"accessrightsmask": 1}),
        ("teammemberships", {}),
        ("systemuserrolescollection", {}),
        ("audits", {"additionalinfo": "x"}),
        ("privileges", {"name": "prvEverything"}),
    ],
)
def test_rows_that_the_platform_keeps_are_not_created(realm: Realm, who: str, path: str, body: Json) -> None:
    """WA-169, WA-413, SM-79."""
    assert realm.send(who, "POST", path, body).refusal == NOT_WRITABLE


def test_the_trail_is_not_changed_by_anybody(realm: Realm) -> None:
    """WA-413."""
    entry = realm.get("admin", "audits?$top=1&$select=auditid").rows[0]["auditid"]
    for who in ("ann", "admin"):
        assert realm.send(who, "PATCH", f"audits({entry})", {"additionalinfo": "x"}).refusal == NOT_WRITABLE
        assert realm.send(who, "DELETE", f"audits({entry})").refusal == NOT_WRITABLE
    assert realm.send("ann", "POST", "DeleteAuditData", {"EndDate": "2030-01-01T00:00:00Z"}).refusal == NO_PRIVILEGE
    assert realm.get("ann", "audits").refusal == NO_PRIVILEGE


@pytest.mark.parametrize("column", ["createdby", "modifiedby", "createdonbehalfby", "owninguser", "owningteam"])
def test_who_made_a_row_is_not_chosen_by_callers(realm: Realm, column: str) -> None:
    """WA-111, SM-14: ignored, as in Dataverse."""
    target = f"/teams({realm.ids['bosses']})" if column == "owningteam" else f"/systemusers({realm.people['bob']})"
    made = realm.create("accounts", {"name": new_name(), f"{column}@odata.bind": target}, by="ann")
    row = realm.get("ann", f"accounts({made})").json
    me = str(realm.people["ann"])
    assert [row[f"_{name}_value"] for name in ("createdby", "modifiedby", "owninguser", "ownerid")] == [me] * 4
    assert row["_owningteam_value"] is None
    assert row["_createdonbehalfby_value"] is None
    realm.must("ann", "PATCH", f"accounts({made})", {f"{column}@odata.bind": target})
    assert realm.get("ann", f"accounts({made})").json["_owninguser_value"] == me


def test_an_earlier_time_of_creation_takes_its_privilege(realm: Realm) -> None:
    """WA-111: prvOverrideCreatedOnCreatedBy."""
    body = {"name": new_name(), "overriddencreatedon": "2001-01-01T00:00:00Z"}
    assert realm.send("ann", "POST", "accounts", body).refusal == NO_PRIVILEGE
    assert realm.send("ann", "POST", "accounts", {**body, "overriddencreatedon": None}).status == 204


def test_the_owning_unit_is_not_chosen_without_matrix_access(realm: Realm) -> None:
    """SM-98, SM-123."""
    body = {"owningbusinessunit@odata.bind": f"/businessunits({realm.ids['south']})"}
    mine = realm.ids["account of ann"]
    assert realm.send("ann", "POST", "accounts", {"name": "x", **body}).refusal == (400, "0x800404a8")
    assert realm.send("ann", "PATCH", f"accounts({mine})", body).refusal == (400, "0x800404a8")


# --- settings, metadata, views --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "EntityDefinitions"),
        ("PUT", "EntityDefinitions(LogicalName='account')"),
        ("DELETE", "EntityDefinitions(LogicalName='account')"),
        ("POST", "EntityDefinitions(LogicalName='account')/Attributes"),
        ("DELETE", "EntityDefinitions(LogicalName='account')/Attributes(LogicalName='name')"),
        ("POST", "EntityDefinitions(LogicalName='account')/Keys"),
        ("POST", "RelationshipDefinitions"),
        ("POST", "GlobalOptionSetDefinitions"),
    ],
)
def test_metadata_changes_take_their_privileges(realm: Realm, method: str, path: str) -> None:
    """WA-352."""
    body: Json | None = {} if method != "DELETE" else None
    assert realm.send("ann", method, path, body).refusal == NO_PRIVILEGE


def test_settings_of_the_organization_take_write_on_it(realm: Realm) -> None:
    """SM-25, SM-140."""
    organization = realm.get("admin", "organizations?$select=organizationid").rows[0]["organizationid"]
    body = {"ishierarchicalsecuritymodelenabled": True}
    for who in ("ann", "hal"):
        assert realm.send(who, "PATCH", f"organizations({organization})", body).refusal == NO_PRIVILEGE


def test_a_view_of_somebody_else_is_not_used(realm: Realm) -> None:
    """SM-3: a view is a row."""
    name = new_name()
    realm.user(
        name,
        realm.ids["north"],
        realm.role(new_name(), realm.ids["root"], {"prvReadUserQuery": "Basic", "prvReadAccount": "Basic"}),
    )
    view = realm.create(
        "userqueries",
        {
            "name": "x",
            "returnedtypecode": "account",
            "querytype": 0,
            "fetchxml": "<fetch><entity name='account'/></fetch>",
        },
    )
    assert realm.get(name, f"accounts?userQuery={view}").refusal == NO_ACCESS
    assert realm.get("ann", f"accounts?userQuery={view}").refusal == NO_PRIVILEGE
