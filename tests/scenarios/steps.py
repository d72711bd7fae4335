"""The steps of a scenario: what is sent for each, and what must come back."""

from typing import Any, cast

import httpx
from tests.scenarios.wire import RIGHTS, Json, Refused, World, new_id

_ACT_RIGHT = {
    "read": "Read",
    "update": "Write",
    "delete": "Delete",
    "share": "Share",
    "modify-share": "Share",
    "unshare": "Share",
    "assign": "Assign",
    "move": "Assign",
    "link": "Write",
    "unlink": "Write",
}
_EXPLAINED_DENIALS = {
    "user-disabled",
    "no-roles",
    "missing-privilege",
    "no-access-path",
    "does-not-exist",
    "column-not-permitted",
    "owner-cannot-read",
    "owner-disabled",
    "owner-is-access-team",
    "cannot-grant-what-you-lack",
    "share-with-owner",
    "delete-restricted",
}

Act = tuple[tuple[str, str], ...]
"""What a right is used for: parameters of sr_ExplainAccess."""
_NO_ACT: Act = ()


class Runner:
    """Runs the steps of one scenario against its world and checks each."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.wire = world.wire

    def run(self, step: Json) -> None:
        """One step, which must come out as it says."""
        if "set" in step:
            self._set(step)
            return
        expect = step.get("expect", {"allowed": True})
        self._check_explanation_before(step, expect)
        answer = self._act(step)
        if step["do"] == "exists":
            assert answer.status_code == (200 if expect["exists"] else 404), f"{step}: {answer.text[:600]}"
        elif expect.get("allowed", True) or step["do"] == "explain":
            assert answer.status_code < 300, f"{step}: {answer.status_code} {answer.text[:600]}"
            self._check_seen(step, expect, answer)
        else:
            assert answer.status_code == expect["status"], f"{step}: {answer.status_code} {answer.text[:600]}"
            assert answer.json()["error"]["code"].lower() == expect["code"].lower(), f"{step}: {answer.text[:600]}"
        if step["do"] == "create" and answer.status_code < 300:
            self.world.made.records[step["new"]] = (step["table"], new_id(answer))
            if "reasons" in expect:
                self._check_explanation(step["as"], "Create", step["new"], expect, step)

    # --- acts ---

    def _acting(self, step: Json) -> dict[str, str]:
        user = step.get("as")
        if user is None:
            return {}
        if self.world.scenario.get("impersonate") == "objectid":
            return {"CallerObjectId": self.world.made.objects[user]}
        return {"MSCRMCallerID": self.world.made.users[user]}

    def _act(self, step: Json) -> httpx.Response:
        method, path, body = self._request(step)
        return self.wire.send(method, path, body, acting=self._acting(step))

    def _request(self, step: Json) -> tuple[str, str, object]:
        world = self.world
        match step["do"]:
            case "read" | "exists":
                return "GET", f"{world.path(step['record'], step.get('table'))}?$select=srt_name", None
            case "list":
                table = world.made.tables[step["table"]]
                condition = ""
                if "filter" in step:
                    condition = f"&$filter=srt_{step['filter']['column']} eq '{step['filter']['eq']}'"
                return "GET", f"{table.set}?$select=srt_name{condition}", None
            case "columns":
                table = world.made.tables[world.made.records[step["record"]][0]]
                select = ",".join(f"srt_{name}" for name in table.column_ids)
                unmask = "&UnMaskedData=true" if step.get("unmask") else ""
                return "GET", f"{world.path(step['record'])}?$select={select}{unmask}", None
            case "values":
                table = world.made.tables[step["table"]]
                unmask = "&UnMaskedData=true" if step.get("unmask") else ""
                return "GET", f"{table.set}?$select=srt_{step['column']}{unmask}", None
            case "expand":
                nav = world.made.navs[world.made.records[step["record"]][0], step["lookup"]]
                return "GET", f"{world.path(step['record'])}?$select=srt_name&$expand={nav}($select=srt_name)", None
            case "create":
                return "POST", world.made.tables[step["table"]].set, world.record_body(step)
            case "update":
                return "PATCH", world.path(step["record"]), {f"srt_{k}": v for k, v in step["values"].items()}
            case "link":
                nav = world.made.navs[world.made.records[step["record"]][0], step["lookup"]]
                return "PATCH", world.path(step["record"]), {f"{nav}@odata.bind": f"/{world.path(step['parent'])}"}
            case "unlink":
                nav = world.made.navs[world.made.records[step["record"]][0], step["lookup"]]
                return "DELETE", f"{world.path(step['record'])}/{nav}/$ref", None
            case "associate":
                _, _, nav = world.made.many[step["relationship"]]
                return "POST", f"{world.path(step['a'])}/{nav}/$ref", {"@odata.id": world.path(step["b"])}
            case "disassociate":
                _, _, nav = world.made.many[step["relationship"]]
                member = world.made.records[step["b"]][1]
                return "DELETE", f"{world.path(step['a'])}/{nav}({member})/$ref", None
            case "assign":
                return (
                    "PATCH",
                    world.path(step["record"]),
                    {"ownerid@odata.bind": f"/{world.principal_path(step['to'])}"},
                )
            case "move":
                unit = world.made.units[step["bu"]]
                return "PATCH", world.path(step["record"]), {"owningbusinessunit@odata.bind": f"/businessunits({unit})"}
            case "delete":
                return "DELETE", world.path(step["record"]), None
            case "share":
                return "POST", "GrantAccess", world.share_body(step)
            case "modify-share":
                return "POST", "ModifyAccess", world.share_body(step)
            case "unshare":
                body = {"Target": world.entity(step["record"]), "Revokee": world.principal_entity(step["with"])}
                return "POST", "RevokeAccess", body
            case "rights":
                target = world.path(step["record"])
                return (
                    "GET",
                    f"{world.principal_path(step['principal'])}/Microsoft.Dynamics.CRM.RetrievePrincipalAccess(Target=@t)"
                    f"?@t={{'@odata.id':'{target}'}}",
                    None,
                )
            case "owner":
                return "GET", f"{world.path(step['record'])}?$select=_ownerid_value,_owningbusinessunit_value", None
            case "explain":
                return "GET", self._explain_path(step["user"], step["right"], step["record"]), None
            case other:
                raise AssertionError(f"unknown act {other}")

    # --- what is seen ---

    def _check_seen(self, step: Json, expect: Json, answer: httpx.Response) -> None:
        world = self.world
        names = {record_id: name for name, (_, record_id) in world.made.records.items()}
        match step["do"]:
            case "list" if "ids" in expect:
                table = world.made.tables[step["table"]]
                seen = {names[row[table.primary_id]] for row in self._all_rows(step, answer)}
                assert seen == set(expect["ids"]), step
                if "filter" not in step:
                    number = self.wire.send("GET", f"{table.set}/$count", acting=self._acting(step)).text
                    assert int(number) == len(expect["ids"]), step
            case "columns":
                row = answer.json()
                seen = {name: row[f"srt_{name}"] for name in expect["values"]}
                assert seen == expect["values"], step
            case "values":
                table = world.made.tables[step["table"]]
                rows = self._all_rows(step, answer)
                seen = {names[row[table.primary_id]]: row[f"srt_{step['column']}"] for row in rows}
                assert seen == expect["values"], step
            case "expand":
                nav = world.made.navs[world.made.records[step["record"]][0], step["lookup"]]
                assert (answer.json()[nav] is not None) == expect["expanded"], step
            case "rights":
                text = cast(str, answer.json()["AccessRights"])
                rights: set[str] = set() if text == "None" else set(text.split(", "))
                assert rights == {RIGHTS[right] for right in expect["rights"]}, step
            case "owner":
                row = answer.json()
                if "owner" in expect:
                    assert row["_ownerid_value"] in world.principal_path(expect["owner"]), step
                if "bu" in expect:
                    assert row["_owningbusinessunit_value"] == world.made.units[expect["bu"]], step
            case "explain":
                self._compare(answer.json(), expect, step)
            case _:
                pass

    def _all_rows(self, step: Json, answer: httpx.Response) -> list[Json]:
        page = answer.json()
        rows: list[Json] = list(page["value"])
        while "@odata.nextLink" in page:
            following = self.wire.send("GET", page["@odata.nextLink"], acting=self._acting(step))
            assert following.status_code == 200, following.text
            page = following.json()
            rows += page["value"]
        return rows

    # --- explanations ---

    def _explain_path(self, user: str, right: str, record: str, table: str | None = None, act: Act = _NO_ACT) -> str:
        principal = self.world.principal_path(f"user:{user}")
        target = self.world.path(record, table)
        names = "".join(f",{name}=@{name}" for name, _ in act)
        more = "".join(f"&@{name}={value}" for name, value in act)
        return (
            f"sr_ExplainAccess(Principal=@p,Target=@t,Right=@r{names})"
            f"?@p={{'@odata.id':'{principal}'}}&@t={{'@odata.id':'{target}'}}&@r='{RIGHTS[right]}'{more}"
        )

    def _acts(self, step: Json) -> list[Act]:
        """What a right is used for in a step, as the explanation is asked; each column of an update is one question."""
        match step["do"]:
            case "update":
                return [(("Column", f"'srt_{name}'"),) for name in step["values"]]
            case "assign":
                return [(("Owner", f"{{'@odata.id':'{self.world.principal_path(step['to'])}'}}"),)]
            case "share" | "modify-share" if step["rights"]:
                principal = self.world.principal_path(step["with"])
                rights = ",".join(RIGHTS[right] for right in step["rights"])
                return [(("With", f"{{'@odata.id':'{principal}'}}"), ("Rights", f"'{rights}'"))]
            case _:
                return [_NO_ACT]

    def _check_explanation_before(self, step: Json, expect: Json) -> None:
        """The administrator asks just before the act; for a create just after."""
        right = _ACT_RIGHT.get(step["do"])
        known = "reasons" in expect or expect.get("denial") in _EXPLAINED_DENIALS
        if right is None or "as" not in step or not known or step["do"] == "link":
            return
        found = [
            self.wire.get(self._explain_path(step["as"], right, step["record"], step.get("table"), act))
            for act in self._acts(step)
        ]
        denied = [each for each in found if not each["Allowed"]]
        self._compare((denied or found)[0], expect, step)

    def _check_explanation(self, user: str, right: str, record: str, expect: Json, step: Json) -> None:
        found = self.wire.get(self._explain_path(user, right, record, step.get("table")))
        self._compare(found, expect, step)

    def _compare(self, found: Json, expect: Json, step: Json) -> None:
        assert found["Allowed"] == expect["allowed"], f"{step}: {found}"
        if "reasons" in expect:
            assert {reason["Code"] for reason in found["Reasons"]} == set(expect["reasons"]), f"{step}: {found}"
        if expect.get("denial") in _EXPLAINED_DENIALS:
            assert found["Denial"]["Code"] == expect["denial"], f"{step}: {found}"
        if "would_allow" in expect:
            run = f" {self.world.run}"
            seen = {change["Code"].removesuffix(run) for change in found["WouldAllow"]}
            assert seen == set(expect["would_allow"]), f"{step}: {found}"

    # --- changes by the administrator ---

    def _set(self, step: Json) -> None:
        expect = step.get("expect", {"allowed": True})
        try:
            self._change(step)
        except Refused as refused:
            answer = refused.answer
            assert not expect["allowed"], f"{step}: {answer.status_code} {answer.text[:600]}"
            assert answer.status_code == expect["status"], f"{step}: {answer.status_code} {answer.text[:600]}"
            assert answer.json()["error"]["code"].lower() == expect["code"].lower(), f"{step}: {answer.text[:600]}"
        else:
            assert expect["allowed"], f"{step}: it was not refused"

    def _change(self, step: Json) -> None:
        world = self.world
        match step["set"]:
            case "settings":
                world.apply_settings(step["values"])
            case "add-role":
                world.give_role(step["to"], step["role"])
            case "remove-role":
                world.take_role(step["from"], step["role"])
            case "privileges":
                self._set_privileges(step)
            case "add-member":
                world.members("AddMembersTeam", step["team"], [step["user"]])
            case "remove-member":
                world.members("RemoveMembersTeam", step["team"], [step["user"]])
            case "user":
                self._set_user(step)
            case "business-unit":
                self._set_unit(step)
            case "profile":
                for user in step.get("add_users", ()):
                    world.profile_member(step["profile"], f"user:{user}")
                for user in step.get("remove_users", ()):
                    world.profile_member(step["profile"], f"user:{user}", remove=True)
                for team in step.get("add_teams", ()):
                    world.profile_member(step["profile"], f"team:{team}")
            case "share-column":
                world.share_column(step)
            case "unshare-column":
                share = world.made.column_shares.pop((step["record"], step["column"], step["with"]))
                self.wire.must("DELETE", f"principalobjectattributeaccessset({share})")
            case "active":
                state = {"statecode": 0, "statuscode": 1} if step["active"] else {"statecode": 1, "statuscode": 2}
                self.wire.must("PATCH", world.path(step["record"]), state)
            case other:
                raise AssertionError(f"unknown change {other}")

    def _set_privileges(self, step: Json) -> None:
        role = f"roles({self.world.made.roles[step['role']]})"
        for right, depth in step["privileges"].items():
            privilege = self.world.privilege(step["table"], right)
            if depth is None:
                self.wire.must("POST", f"{role}/Microsoft.Dynamics.CRM.RemovePrivilegeRole", {"PrivilegeId": privilege})
            else:
                body = {"Privileges": [{"PrivilegeId": privilege, "Depth": depth}]}
                self.wire.must("POST", f"{role}/Microsoft.Dynamics.CRM.AddPrivilegesRole", body)

    def _set_user(self, step: Json) -> None:
        world = self.world
        path = world.principal_path(f"user:{step['user']}")
        values = cast("dict[str, Any]", step["values"])
        changes: Json = {}
        for name, value in values.items():
            if name == "bu":
                changes["businessunitid@odata.bind"] = f"/businessunits({world.made.units[value]})"
                world.made.user_units[step["user"]] = value
            elif name == "disabled":
                changes["isdisabled"] = value
            elif name == "access_mode":
                changes["accessmode"] = value
            else:
                nav = "parentsystemuserid" if name == "manager" else "positionid"
                if value is None:
                    self.wire.must("DELETE", f"{path}/{nav}/$ref")
                elif name == "manager":
                    changes[f"{nav}@odata.bind"] = f"/systemusers({world.made.users[value]})"
                else:
                    changes[f"{nav}@odata.bind"] = f"/positions({world.made.positions[value]})"
        if changes:
            self.wire.must("PATCH", path, changes)

    def _set_unit(self, step: Json) -> None:
        path = f"businessunits({self.world.made.units[step['bu']]})"
        if "parent" in step:
            parent = self.world.made.units[step["parent"]]
            self.wire.must("PATCH", path, {"parentbusinessunitid@odata.bind": f"/businessunits({parent})"})
        if "disabled" in step:
            self.wire.must("PATCH", path, {"isdisabled": step["disabled"]})
