"""The world of a scenario, made and asked through the Web API as any client would (see README.md beside this file)."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import httpx

Json = dict[str, Any]
RIGHTS = {
    "Read": "ReadAccess",
    "Write": "WriteAccess",
    "Append": "AppendAccess",
    "AppendTo": "AppendToAccess",
    "Create": "CreateAccess",
    "Delete": "DeleteAccess",
    "Share": "ShareAccess",
    "Assign": "AssignAccess",
}
SYSTEM_ADMINISTRATOR = "627090ff-40a3-4053-8790-584edc5be201"
SETTINGS = {
    "matrix": "EnableOwnershipAcrossBusinessUnits",
    "always_move": "AlwaysMoveRecordToOwnerBusinessUnit",
    "keep_roles": "DoNotRemoveRolesOnChangeBusinessUnit",
    "same_bu": "ManagersMustBeInSameOrParentBusinessUnitAsReports",
    "write_depth": "HierarchyLevelForHierarchyFeature",
    "disabled_reports": "AuthorizationEnableHSMForDisabledUsers",
}
DEFAULT_SETTINGS: Json = {
    "matrix": False,
    "always_move": True,
    "keep_roles": False,
    "share_to_previous_owner": False,
    "hierarchy": "off",
    "depth": 3,
    "write_depth": 1,
    "same_bu": True,
    "disabled_reports": True,
}


class Refused(AssertionError):
    """A request that had to succeed did not."""

    def __init__(self, request: str, answer: httpx.Response) -> None:
        super().__init__(f"{request}: {answer.status_code} {answer.text[:800]}")
        self.answer = answer


class Wire:
    """An administrator's connection."""

    def __init__(self, api: str, token: str) -> None:
        self._http = httpx.Client(base_url=api, headers={"Authorization": f"Bearer {token}"}, timeout=60)

    def send(
        self, method: str, path: str, body: object = None, *, acting: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """One request; every PATCH carries `If-Match: *`."""
        headers = dict(acting or {})
        if method == "PATCH":
            headers["If-Match"] = "*"
        content = None if body is None else json.dumps(body)
        if content is not None:
            headers["Content-Type"] = "application/json"
        return self._http.request(method, path, content=content, headers=headers)

    def get(self, path: str) -> Json:
        """A GET that must succeed."""
        return cast(Json, self.must("GET", path).json())

    def must(self, method: str, path: str, body: object = None) -> httpx.Response:
        """A request that must succeed; `Refused` otherwise."""
        answer = self.send(method, path, body)
        if answer.status_code >= 300:
            raise Refused(f"{method} {path} {json.dumps(body)[:500]}", answer)
        return answer

    def create(self, path: str, body: Json) -> str:
        """The id of a new row or definition."""
        return new_id(self.must("POST", path, body))

    def close(self) -> None:
        self._http.close()


def new_id(answer: httpx.Response) -> str:
    """The id at the end of `OData-EntityId`."""
    return answer.headers["OData-EntityId"].rstrip(")").rsplit("(", 1)[1]


def label(text: str) -> Json:
    return {"LocalizedLabels": [{"Label": text, "LanguageCode": 1033}]}


@dataclass(slots=True)
class MadeTable:
    name: str
    set: str
    primary_id: str
    metadata_id: str
    privileges: dict[str, str]
    ownership: str
    column_ids: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(slots=True)
class Made:
    """Names of the scenario → what they became."""

    tables: dict[str, MadeTable] = field(default_factory=dict[str, MadeTable])
    navs: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    many: dict[str, tuple[str, str, str]] = field(default_factory=dict[str, tuple[str, str, str]])
    units: dict[str, str] = field(default_factory=dict[str, str])
    positions: dict[str, str] = field(default_factory=dict[str, str])
    roles: dict[str, str] = field(default_factory=dict[str, str])
    role_units: dict[str, str] = field(default_factory=dict[str, str])
    users: dict[str, str] = field(default_factory=dict[str, str])
    user_units: dict[str, str] = field(default_factory=dict[str, str])
    objects: dict[str, str] = field(default_factory=dict[str, str])
    teams: dict[str, str] = field(default_factory=dict[str, str])
    team_units: dict[str, str] = field(default_factory=dict[str, str])
    profiles: dict[str, str] = field(default_factory=dict[str, str])
    records: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    column_shares: dict[tuple[str, str, str], str] = field(default_factory=dict[tuple[str, str, str], str])


class World:
    """Builds the world of one scenario. `run` makes its names unique."""

    def __init__(self, wire: Wire, scenario: Json) -> None:
        self.wire = wire
        self.scenario = scenario
        self.run = f"{time.time_ns() % 10**12:x}"
        self.made = Made()
        self.settings: Json = dict(DEFAULT_SETTINGS)

    def build(self) -> None:
        """Make everything in the order that the README gives."""
        world = cast(Json, self.scenario["world"])
        self.apply_settings(world.get("settings", {}))
        for table in world.get("tables", ()):
            self._table(table)
        for relationship in world.get("relationships", ()):
            self._relationship(relationship)
        for association in world.get("many_to_many", ()):
            self._association(association)
        self._units(world.get("business_units", ()))
        for position in world.get("positions", ()):
            body: Json = {"name": f"{position['id']} {self.run}"}
            if position.get("parent"):
                body["parentpositionid@odata.bind"] = f"/positions({self.made.positions[position['parent']]})"
            self.made.positions[position["id"]] = self.wire.create("positions", body)
        for role in world.get("roles", ()):
            self._role(role)
        for user in world.get("users", ()):
            self._user(user)
        for user in world.get("users", ()):
            self._finish_user(user)
        for team in world.get("teams", ()):
            self._team(team)
        for profile in world.get("profiles", ()):
            self._profile(profile)
        for record in world.get("records", ()):
            self.record(record)
        for share in world.get("shares", ()):
            self.wire.must("POST", "GrantAccess", self.share_body(share))
        for share in world.get("column_shares", ()):
            self.share_column(share)
        for user in world.get("users", ()):
            if user.get("disabled"):
                self.wire.must("PATCH", f"systemusers({self.made.users[user['id']]})", {"isdisabled": True})

    def restore(self) -> None:
        """Put the organization's settings back."""
        self.settings = {}
        self.apply_settings(DEFAULT_SETTINGS)

    # --- settings ---

    def apply_settings(self, changes: Json) -> None:
        wanted = {**self.settings, **changes}
        if wanted == self.settings:
            return
        self.settings = wanted
        xml = "".join(f"<{name}>{str(wanted[key]).lower()}</{name}>" for key, name in SETTINGS.items())
        organization = self.wire.get("organizations?$select=organizationid")["value"][0]["organizationid"]
        self.wire.must(
            "PATCH",
            f"organizations({organization})",
            {
                "ishierarchicalsecuritymodelenabled": wanted["hierarchy"] != "off",
                "usepositionhierarchy": wanted["hierarchy"] == "position",
                "maxdepthforhierarchicalsecuritymodel": wanted["depth"],
                "sharetopreviousowneronassign": wanted["share_to_previous_owner"],
                "orgdborgsettings": f"<OrgSettings>{xml}</OrgSettings>",
            },
        )

    # --- metadata ---

    def _table(self, table: Json) -> None:
        schema_name = f"srt_{self.run}{table['id']}"
        body: Json = {
            "@odata.type": "Microsoft.Dynamics.CRM.EntityMetadata",
            "SchemaName": schema_name,
            "DisplayName": label(table["id"]),
            "DisplayCollectionName": label(table["id"]),
            "OwnershipType": "OrganizationOwned" if table.get("ownership") == "organization" else "UserOwned",
            "HasNotes": False,
            "HasActivities": False,
            "Attributes": [
                {
                    "@odata.type": "Microsoft.Dynamics.CRM.StringAttributeMetadata",
                    "SchemaName": "srt_name",
                    "MaxLength": 100,
                    "IsPrimaryName": True,
                    "DisplayName": label("Name"),
                }
            ],
        }
        if table.get("hierarchy") is False:
            body["IsHierarchySecurityEnabled"] = False
        self.wire.must("POST", "EntityDefinitions", body)
        logical = schema_name.lower()
        found = self.wire.get(
            f"EntityDefinitions(LogicalName='{logical}')?$select=EntitySetName,PrimaryIdAttribute,MetadataId,Privileges"
        )
        made = MadeTable(
            logical,
            found["EntitySetName"],
            found["PrimaryIdAttribute"],
            found["MetadataId"],
            {p["PrivilegeType"]: p["PrivilegeId"] for p in found["Privileges"]},
            table.get("ownership", "user"),
        )
        self.made.tables[table["id"]] = made
        for column in table.get("columns", ()):
            self._column(made, cast(Json, column) if isinstance(column, dict) else {"id": column})

    def _column(self, table: MadeTable, column: Json) -> None:
        answer = self.wire.must(
            "POST",
            f"EntityDefinitions(LogicalName='{table.name}')/Attributes",
            {
                "@odata.type": "Microsoft.Dynamics.CRM.StringAttributeMetadata",
                "SchemaName": f"srt_{column['id']}",
                "MaxLength": 100,
                "DisplayName": label(column["id"]),
                "IsSecured": bool(column.get("secured")),
            },
        )
        table.column_ids[column["id"]] = new_id(answer)
        if "mask" in column:
            rule = self.wire.create(
                "maskingrules",
                {
                    "name": f"srt_{self.run}{column['id']}",
                    "displayname": column["id"],
                    "regularexpression": column["mask"]["regex"],
                    "maskedcharacter": column["mask"]["char"],
                },
            )
            self.wire.create(
                "attributemaskingrules",
                {
                    "entityname": table.name,
                    "attributelogicalname": f"srt_{column['id']}",
                    "uniquename": f"srt_{self.run}{column['id']}",
                    "MaskingRuleId@odata.bind": f"/maskingrules({rule})",
                },
            )

    def _relationship(self, relationship: Json) -> None:
        cascade = {"Assign": "NoCascade", "Share": "NoCascade", "Unshare": "NoCascade", "Reparent": "NoCascade"}
        cascade |= {"Delete": "RemoveLink", "Merge": "NoCascade"}
        cascade |= {name.capitalize(): value for name, value in relationship.get("cascade", {}).items()}
        name = f"srt_{self.run}{relationship['id']}"
        parent, child = self.made.tables[relationship["parent"]], self.made.tables[relationship["child"]]
        self.wire.must(
            "POST",
            "RelationshipDefinitions",
            {
                "@odata.type": "Microsoft.Dynamics.CRM.OneToManyRelationshipMetadata",
                "SchemaName": name,
                "ReferencedEntity": parent.name,
                "ReferencedAttribute": parent.primary_id,
                "ReferencingEntity": child.name,
                "CascadeConfiguration": cascade,
                "Lookup": {
                    "@odata.type": "Microsoft.Dynamics.CRM.LookupAttributeMetadata",
                    "SchemaName": f"srt_{relationship['lookup']}",
                    "DisplayName": label(relationship["lookup"]),
                },
            },
        )
        found = self.wire.get(
            f"RelationshipDefinitions(SchemaName='{name}')/Microsoft.Dynamics.CRM.OneToManyRelationshipMetadata"
            "?$select=ReferencingEntityNavigationPropertyName"
        )
        nav = found["ReferencingEntityNavigationPropertyName"]
        self.made.navs[relationship["child"], relationship["lookup"]] = nav

    def _association(self, association: Json) -> None:
        name = f"srt_{self.run}{association['id']}"
        first, second = self.made.tables[association["a"]], self.made.tables[association["b"]]
        self.wire.must(
            "POST",
            "RelationshipDefinitions",
            {
                "@odata.type": "Microsoft.Dynamics.CRM.ManyToManyRelationshipMetadata",
                "SchemaName": name,
                "Entity1LogicalName": first.name,
                "Entity2LogicalName": second.name,
                "IntersectEntityName": name.lower(),
            },
        )
        found = self.wire.get(
            f"RelationshipDefinitions(SchemaName='{name}')/Microsoft.Dynamics.CRM.ManyToManyRelationshipMetadata"
            "?$select=Entity1NavigationPropertyName"
        )
        self.made.many[association["id"]] = (association["a"], association["b"], found["Entity1NavigationPropertyName"])

    # --- principals ---

    def _units(self, units: list[Json]) -> None:
        top = self.wire.get("businessunits?$select=businessunitid&$filter=parentbusinessunitid eq null")["value"][0]
        self.made.units["root"] = self.wire.create(
            "businessunits",
            {
                "name": f"root {self.run}",
                "parentbusinessunitid@odata.bind": f"/businessunits({top['businessunitid']})",
            },
        )
        for unit in units:
            parent = self.made.units[unit.get("parent") or "root"]
            self.made.units[unit["id"]] = self.wire.create(
                "businessunits",
                {"name": f"{unit['id']} {self.run}", "parentbusinessunitid@odata.bind": f"/businessunits({parent})"},
            )

    def _role(self, role: Json) -> None:
        unit = role.get("bu", "root")
        role_id = self.wire.create(
            "roles",
            {
                "name": f"{role['id']} {self.run}",
                "isinherited": 0 if role.get("inherit") == "team" else 1,
                "businessunitid@odata.bind": f"/businessunits({self.made.units[unit]})",
            },
        )
        self.made.roles[role["id"]] = role_id
        self.made.role_units[role["id"]] = unit
        privileges = [
            {"PrivilegeId": self.privilege(table, right), "Depth": depth}
            for table, rights in role.get("privileges", {}).items()
            for right, depth in rights.items()
        ]
        if privileges:
            self.wire.must(
                "POST", f"roles({role_id})/Microsoft.Dynamics.CRM.AddPrivilegesRole", {"Privileges": privileges}
            )

    def privilege(self, table: str, right: str) -> str:
        """The id of the privilege for a right on a table of the world, or on the platform's `businessunit`."""
        if table in self.made.tables:
            return self.made.tables[table].privileges[right]
        found = self.wire.get(f"privileges?$select=privilegeid&$filter=name eq 'prv{right}BusinessUnit'")
        return cast(str, found["value"][0]["privilegeid"])

    def role_copy(self, role: Json | str, holder_unit: str) -> str:
        """The copy of a role in the unit of its holder, or in the unit that `{role, bu}` names."""
        name, unit = (role, holder_unit) if isinstance(role, str) else (role["role"], role["bu"])
        unit_id = self.made.units[unit]
        if name == "@sysadmin":
            condition = f"_roletemplateid_value eq {SYSTEM_ADMINISTRATOR}"
        else:
            condition = f"_parentrootroleid_value eq {self.made.roles[name]}"
        found = self.wire.get(f"roles?$select=roleid&$filter={condition} and _businessunitid_value eq {unit_id}")
        assert len(found["value"]) == 1, (role, holder_unit, found)
        return cast(str, found["value"][0]["roleid"])

    def _unit_of(self, principal: str) -> str:
        kind, name = principal.split(":")
        if name.startswith("@"):
            return name[1:]
        return (self.made.user_units if kind == "user" else self.made.team_units)[name]

    def give_role(self, principal: str, role: Json | str) -> None:
        kind, unit = principal.split(":")[0], self._unit_of(principal)
        path, association = self.principal_path(principal), "systemuserroles" if kind == "user" else "teamroles"
        role_id = self.role_copy(role, unit)
        self.wire.must("POST", f"{path}/{association}_association/$ref", {"@odata.id": f"roles({role_id})"})

    def take_role(self, principal: str, role: Json | str) -> None:
        kind, unit = principal.split(":")[0], self._unit_of(principal)
        path, association = self.principal_path(principal), "systemuserroles" if kind == "user" else "teamroles"
        self.wire.must("DELETE", f"{path}/{association}_association({self.role_copy(role, unit)})/$ref")

    def principal_path(self, principal: str) -> str:
        """`systemusers(…)` or `teams(…)`; `team:@north` is the default team of a unit."""
        kind, name = principal.split(":")
        if kind == "user":
            return f"systemusers({self.made.users[name]})"
        if name.startswith("@"):
            unit = self.made.units[name[1:]]
            found = self.wire.get(f"teams?$select=teamid&$filter=_businessunitid_value eq {unit} and isdefault eq true")
            return f"teams({found['value'][0]['teamid']})"
        return f"teams({self.made.teams[name]})"

    def _user(self, user: Json) -> None:
        unit = user.get("bu", "root")
        name = f"{user['id']}.{self.run}"
        object_id = f"{int(time.time_ns()) % 16**8:08x}-0000-4000-8000-{len(self.made.users):012x}"
        self.made.users[user["id"]] = self.wire.create(
            "systemusers",
            {
                "firstname": user["id"],
                "lastname": self.run,
                "domainname": f"{name}@scenario.example",
                "internalemailaddress": f"{name}@scenario.example",
                "azureactivedirectoryobjectid": object_id,
                "accessmode": user.get("access_mode", 0),
                "businessunitid@odata.bind": f"/businessunits({self.made.units[unit]})",
            },
        )
        self.made.user_units[user["id"]] = unit
        self.made.objects[user["id"]] = object_id

    def _finish_user(self, user: Json) -> None:
        changes: Json = {}
        if user.get("manager"):
            changes["parentsystemuserid@odata.bind"] = f"/systemusers({self.made.users[user['manager']]})"
        if user.get("position"):
            changes["positionid@odata.bind"] = f"/positions({self.made.positions[user['position']]})"
        if changes:
            self.wire.must("PATCH", f"systemusers({self.made.users[user['id']]})", changes)
        for role in user.get("roles", ()):
            self.give_role(f"user:{user['id']}", role)

    def _team(self, team: Json) -> None:
        unit = team.get("bu", "root")
        administrator = self.wire.get("WhoAmI")["UserId"]
        team_id = self.wire.create(
            "teams",
            {
                "name": f"{team['id']} {self.run}",
                "teamtype": {"owner": 0, "access": 1, "group": 2}[team.get("type", "owner")],
                "businessunitid@odata.bind": f"/businessunits({self.made.units[unit]})",
                "administratorid@odata.bind": f"/systemusers({administrator})",
            },
        )
        self.made.teams[team["id"]] = team_id
        self.made.team_units[team["id"]] = unit
        if team.get("members"):
            self.members("AddMembersTeam", team["id"], team["members"])
        for role in team.get("roles", ()):
            self.give_role(f"team:{team['id']}", role)

    def members(self, message: str, team: str, users: list[str]) -> httpx.Response:
        """Add or remove members of a team."""
        members = [
            {"@odata.type": "Microsoft.Dynamics.CRM.systemuser", "systemuserid": self.made.users[user]}
            for user in users
        ]
        path = f"{self.principal_path(f'team:{team}')}/Microsoft.Dynamics.CRM.{message}"
        return self.wire.must("POST", path, {"Members": members})

    # --- column profiles ---

    def _profile(self, profile: Json) -> None:
        profile_id = self.wire.create("fieldsecurityprofiles", {"name": f"{profile['id']} {self.run}"})
        self.made.profiles[profile["id"]] = profile_id
        for place, allowed in profile.get("columns", {}).items():
            table, column = place.split(".")
            self.wire.create(
                "fieldpermissions",
                {
                    "entityname": self.made.tables[table].name,
                    "attributelogicalname": f"srt_{column}",
                    "canread": 4 if allowed.get("read") else 0,
                    "cancreate": 4 if allowed.get("create") else 0,
                    "canupdate": 4 if allowed.get("update") else 0,
                    "canreadunmasked": allowed.get("unmasked", 0),
                    "fieldsecurityprofileid@odata.bind": f"/fieldsecurityprofiles({profile_id})",
                },
            )
        for user in profile.get("users", ()):
            self.profile_member(profile["id"], f"user:{user}")
        for team in profile.get("teams", ()):
            self.profile_member(profile["id"], f"team:{team}")

    def profile_member(self, profile: str, principal: str, *, remove: bool = False) -> None:
        """Put a user or team into a column profile, or take it out."""
        nav = "systemuserprofiles_association" if principal.startswith("user:") else "teamprofiles_association"
        path = f"fieldsecurityprofiles({self.made.profiles[profile]})/{nav}"
        target = self.principal_path(principal)
        if remove:
            self.wire.must("DELETE", f"{path}({target.rstrip(')').split('(')[1]})/$ref")
        else:
            self.wire.must("POST", f"{path}/$ref", {"@odata.id": target})

    def share_column(self, share: Json) -> None:
        """Share one value of one row, or change the share that there is."""
        table_id, record_id = self.made.records[share["record"]]
        table = self.made.tables[table_id]
        kind = "systemuser" if share["with"].startswith("user:") else "team"
        key = (share["record"], share["column"], share["with"])
        allowed = {"readaccess": bool(share.get("read")), "updateaccess": bool(share.get("update"))}
        known = self.made.column_shares.get(key)
        if known is not None:
            self.wire.must("PATCH", f"principalobjectattributeaccessset({known})", allowed)
            return
        self.made.column_shares[key] = self.wire.create(
            "principalobjectattributeaccessset",
            {
                "attributeid": table.column_ids[share["column"]],
                f"objectid_{table.name}@odata.bind": f"/{table.set}({record_id})",
                f"principalid_{kind}@odata.bind": f"/{self.principal_path(share['with'])}",
                **allowed,
            },
        )

    # --- records ---

    def record_body(self, record: Json) -> Json:
        """The body that creates a record."""
        body: Json = {"srt_name": record.get("id", record.get("new"))}
        body |= {f"srt_{column}": value for column, value in record.get("values", {}).items()}
        if record.get("owner"):
            body["ownerid@odata.bind"] = f"/{self.principal_path(record['owner'])}"
        if record.get("bu"):
            body["owningbusinessunit@odata.bind"] = f"/businessunits({self.made.units[record['bu']]})"
        for lookup, parent in record.get("parents", {}).items():
            body[f"{self.made.navs[record['table'], lookup]}@odata.bind"] = f"/{self.path(parent)}"
        return body

    def record(self, record: Json) -> None:
        table = self.made.tables[record["table"]]
        new = self.wire.create(table.set, self.record_body(record))
        self.made.records[record["id"]] = (record["table"], new)
        if record.get("active") is False:
            self.wire.must("PATCH", f"{table.set}({new})", {"statecode": 1, "statuscode": 2})

    def path(self, record: str, table: str | None = None) -> str:
        """`srt_…s(<id>)` of a record; a record that was never made has an id that nothing has."""
        table_id, record_id = self.made.records.get(record, (table or "", "00000000-0000-0000-0000-0000000000ff"))
        return f"{self.made.tables[table_id].set}({record_id})"

    def share_body(self, share: Json) -> Json:
        """The body of GrantAccess and ModifyAccess."""
        return {
            "Target": self.entity(share["record"]),
            "PrincipalAccess": {
                "Principal": self.principal_entity(share["with"]),
                "AccessMask": ", ".join(RIGHTS[right] for right in share.get("rights", ())),
            },
        }

    def entity(self, record: str) -> Json:
        table_id, record_id = self.made.records[record]
        table = self.made.tables[table_id]
        return {"@odata.type": f"Microsoft.Dynamics.CRM.{table.name}", table.primary_id: record_id}

    def principal_entity(self, principal: str) -> Json:
        kind = "systemuser" if principal.startswith("user:") else "team"
        principal_id = self.principal_path(principal).rstrip(")").split("(")[1]
        return {"@odata.type": f"Microsoft.Dynamics.CRM.{kind}", f"{kind}id": principal_id}
