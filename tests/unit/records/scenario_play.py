"""Plays the security scenarios straight through the verbs, without HTTP: the same files, the same expectations."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from tests.scenarios.wire import SETTINGS
from tests.worlds import ROLES_OF_TEAMS, ROLES_OF_USERS, World

from strongroom.access.caller import SYSTEM_ADMINISTRATOR_TEMPLATE
from strongroom.errors import StrongroomError
from strongroom.ids import Guid, Key, Reference
from strongroom.query.ast import Comparison, Expand, Field, Literal, Operator, Output, Select, Source
from strongroom.records import (
    NewRecord,
    RolePrivilege,
    Session,
    add_members,
    add_privileges,
    associate,
    create,
    delete,
    disassociate,
    grant_access,
    modify_access,
    principal_access,
    remove_members,
    remove_privilege,
    retrieve,
    retrieve_page,
    revoke_access,
    update,
)
from strongroom.records.explaining import explain_access
from strongroom.schema.changes import NewColumn
from strongroom.schema.model import Cascade, ColumnType, Depth, Ownership, Rights
from strongroom.store.protocol import Value

Json = dict[str, Any]
RIGHTS = {
    "Read": Rights.READ,
    "Write": Rights.WRITE,
    "Append": Rights.APPEND,
    "AppendTo": Rights.APPEND_TO,
    "Create": Rights.CREATE,
    "Delete": Rights.DELETE,
    "Share": Rights.SHARE,
    "Assign": Rights.ASSIGN,
}


@dataclass
class Play:
    """One scenario: the world that it makes, and the names in it."""

    world: World
    scenario: Json
    tables: dict[str, str] = field(default_factory=dict[str, str])
    units: dict[str, Guid] = field(default_factory=dict[str, Guid])
    positions: dict[str, Guid] = field(default_factory=dict[str, Guid])
    roles: dict[str, Guid] = field(default_factory=dict[str, Guid])
    role_units: dict[str, str] = field(default_factory=dict[str, str])
    users: dict[str, Guid] = field(default_factory=dict[str, Guid])
    teams: dict[str, Guid] = field(default_factory=dict[str, Guid])
    profiles: dict[str, Guid] = field(default_factory=dict[str, Guid])
    records: dict[str, Reference] = field(default_factory=dict[str, Reference])
    settings: Json = field(default_factory=dict[str, Any])

    # --- building ---

    def build(self) -> None:
        """Everything that the file's world names."""
        made = cast(Json, self.scenario["world"])
        self.set_settings(made.get("settings", {}))
        for table in made.get("tables", ()):
            self._table(table)
        for one in made.get("relationships", ()):
            cascade = Cascade(**one.get("cascade", {}))
            self.world.new_relationship(
                one["id"], self.tables[one["parent"]], self.tables[one["child"]], one["lookup"], cascade
            )
        for one in made.get("many_to_many", ()):
            self.world.new_association(one["id"], self.tables[one["a"]], self.tables[one["b"]])
        self.units["root"] = self.world.unit("scenario root")
        for one in made.get("business_units", ()):
            self.units[one["id"]] = self.world.unit(one["id"], self.units[one.get("parent", "root")])
        for one in made.get("positions", ()):
            parent = self.positions.get(one.get("parent", ""))
            self.positions[one["id"]] = self.world.create(
                "position", name=one["id"], parentpositionid=parent and Reference("position", parent)
            )
        for one in made.get("roles", ()):
            self._role(one)
        for one in made.get("users", ()):
            self._user(one)
        for one in made.get("users", ()):
            self.set_user(one["id"], {k: one[k] for k in ("manager", "position") if one.get(k)})
            for role in one.get("roles", ()):
                self.give_role(role, f"user:{one['id']}")
        for one in made.get("teams", ()):
            self._team(one)
        for one in made.get("profiles", ()):
            self._profile(one)
        for one in made.get("records", ()):
            self._record(one)
        for one in made.get("shares", ()):
            self.world.share(self.records[one["record"]], self.principal(one["with"]), rights_of(one["rights"]))
        for one in made.get("users", ()):
            if one.get("disabled"):
                self.set_user(one["id"], {"disabled": True})

    def principal(self, name: str) -> Reference:
        kind, _, key = name.partition(":")
        if kind == "user":
            return Reference("systemuser", self.users[key])
        if key.startswith("@"):
            return self.world.default_team(self.units[key[1:]]).reference()
        return Reference("team", self.teams[key])

    def set_settings(self, changes: Mapping[str, Any]) -> None:
        self.settings.update(changes)
        xml = "".join(
            f"<{name}>{str(self.settings[key]).lower()}</{name}>"
            for key, name in SETTINGS.items()
            if key in self.settings
        )
        hierarchy = self.settings.get("hierarchy", "off")
        self.world.update(
            "organization",
            self.world.born.organization,
            ishierarchicalsecuritymodelenabled=hierarchy != "off",
            usepositionhierarchy=hierarchy == "position",
            maxdepthforhierarchicalsecuritymodel=self.settings.get("depth", 3),
            sharetopreviousowneronassign=self.settings.get("share_to_previous_owner", False),
            orgdborgsettings=f"<OrgSettings>{xml}</OrgSettings>",
        )

    def _table(self, table: Json) -> None:
        ownership = Ownership.ORGANIZATION if table.get("ownership") == "organization" else Ownership.USER
        name = self.world.new_table(table["id"], ownership=ownership, hierarchy=table.get("hierarchy", True))
        self.tables[table["id"]] = name
        for column in table.get("columns", ()):
            told = cast(Json, column if isinstance(column, dict) else {"id": column})
            self.world.new_column(
                name, NewColumn(f"new_{told['id']}", ColumnType.STRING, is_secured=told.get("secured"))
            )

    def _role(self, role: Json) -> None:
        unit = role.get("bu", "root")
        self.role_units[role["id"]] = unit
        self.roles[role["id"]] = self.world.role(
            role["id"], unit=self.units[unit], team_only=role.get("inherit") == "team"
        )
        for table, privileges in role.get("privileges", {}).items():
            self.set_privileges(role["id"], table, privileges)

    def set_privileges(self, role: str, table: str, privileges: Mapping[str, str | None]) -> None:
        owned = self.world.table(self.tables.get(table, table)).privileges
        with self.world.administrating() as session:
            for right, depth in privileges.items():
                privilege = owned[RIGHTS[right]].id
                if depth is None:
                    remove_privilege(session, self.roles[role], privilege)
                else:
                    add_privileges(session, self.roles[role], [RolePrivilege(privilege, Depth[depth.upper()])])

    def _user(self, one: Json) -> None:
        self.users[one["id"]] = self.world.user(
            one["id"], self.units[one.get("bu", "root")], accessmode=one.get("access_mode", 0)
        )

    def set_user(self, name: str, values: Mapping[str, Any]) -> None:
        changes: dict[str, Value] = {}
        for key, value in values.items():
            if key == "bu":
                changes["businessunitid"] = Reference("businessunit", self.units[value])
            elif key == "manager":
                changes["parentsystemuserid"] = value and Reference("systemuser", self.users[value])
            elif key == "position":
                changes["positionid"] = value and Reference("position", self.positions[value])
            else:
                changes["isdisabled" if key == "disabled" else "accessmode"] = value
        if changes:
            self.world.change("systemuser", self.users[name], changes)

    def _role_copy(self, role: Any, holder: Reference) -> Guid:
        if role == "@sysadmin":
            template = Reference("roletemplate", SYSTEM_ADMINISTRATOR_TEMPLATE)
            unit = Reference("businessunit", self.world.unit_of(holder))
            return self.world.rows("role", roletemplateid=template, businessunitid=unit)[0].id
        if isinstance(role, dict):
            return self.world.copy_of(self.roles[role["role"]], self.units[role["bu"]])
        return self.world.copy_of(self.roles[role], self.world.unit_of(holder))

    def give_role(self, role: Any, to: str, *, take: bool = False) -> None:
        holder = self.principal(to)
        copy = Reference("role", self._role_copy(role, holder))
        with self.world.administrating() as session:
            name = ROLES_OF_TEAMS if holder.table == "team" else ROLES_OF_USERS
            act = disassociate if take else associate
            act(session, session.schema.many_to_many[name], holder, copy)

    def _team(self, one: Json) -> None:
        kind = {"owner": 0, "access": 1, "group": 2}[one.get("type", "owner")]
        members = [self.users[member] for member in one.get("members", ())]
        self.teams[one["id"]] = self.world.team(
            one["id"], self.units[one.get("bu", "root")], members=members, kind=kind
        )
        for role in one.get("roles", ()):
            self.give_role(role, f"team:{one['id']}")

    def _profile(self, one: Json) -> None:
        profile = self.profiles[one["id"]] = self.world.create("fieldsecurityprofile", name=one["id"])
        for path, opened in one.get("columns", {}).items():
            table, column = path.split(".")
            self.world.create(
                "fieldpermission",
                entityname=self.tables[table],
                attributelogicalname=f"new_{column}",
                canread=4 if opened.get("read") else 0,
                cancreate=4 if opened.get("create") else 0,
                canupdate=4 if opened.get("update") else 0,
                canreadunmasked=opened.get("unmasked", 0),
                fieldsecurityprofileid=Reference("fieldsecurityprofile", profile),
            )
        for key in ("users", "teams"):
            for name in one.get(key, ()):
                self.open_profile(one["id"], f"{key[:-1]}:{name}")

    def open_profile(self, profile: str, to: str, *, close: bool = False) -> None:
        holder = self.principal(to)
        name = "teamprofiles_association" if holder.table == "team" else "systemuserprofiles_association"
        with self.world.administrating() as session:
            act = disassociate if close else associate
            act(
                session,
                session.schema.many_to_many[name],
                holder,
                Reference("fieldsecurityprofile", self.profiles[profile]),
            )

    def _record(self, one: Json) -> None:
        values = self.values_of(one)
        with self.world.administrating() as session:
            self.records[one["id"]] = self.create(session, one["table"], values)
        if one.get("active") is False:
            self.set_active(one["id"], active=False)

    def set_active(self, record: str, *, active: bool) -> None:
        target = self.records[record]
        self.world.update(target.table, target.id, statecode=0 if active else 1)

    def values_of(self, one: Json) -> dict[str, Value]:
        values: dict[str, Value] = {"new_name": one.get("id", one.get("new", "row"))}
        values |= {f"new_{name}": value for name, value in one.get("values", {}).items()}
        if one.get("owner"):
            values["ownerid"] = self.principal(one["owner"])
        if one.get("bu"):
            values["owningbusinessunit"] = Reference("businessunit", self.units[one["bu"]])
        values |= {f"new_{lookup}": self.records[parent] for lookup, parent in one.get("parents", {}).items()}
        return values

    def create(self, session: Session, table: str, values: Mapping[str, Value]) -> Reference:
        name = self.tables[table]
        return Reference(name, create(session, session.table(name), NewRecord(values)))

    # --- steps ---

    def step(self, step: Json) -> None:
        """Run one step and compare."""
        expected = cast(Json, step.get("expect", {"allowed": True}))
        seen = self._attempt_set(step) if "set" in step else self._attempt(step)
        if "allowed" in expected:
            assert seen.allowed is expected["allowed"], f"{step}: {seen}"
            if not expected["allowed"] and expected.get("code"):
                assert seen.code.lower() == expected["code"].lower(), f"{step}: {seen}"
                assert seen.status == expected["status"], f"{step}: {seen}"
        for key in ("ids", "rights", "would_allow"):
            if key in expected and seen.allowed in (True, None):
                assert set(seen.facts[key]) == set(expected[key]), f"{step}: {key} {seen.facts[key]}"
        for key in ("values", "expanded", "owner", "bu", "exists"):
            if key in expected:
                assert seen.facts[key] == expected[key], f"{step}: {key} {seen.facts[key]}"
        if "reasons" in expected and seen.reasons is not None:
            assert seen.reasons == set(expected["reasons"]), f"{step}: {seen.reasons}"

    def _attempt_set(self, step: Json) -> "Seen":
        try:
            getattr(self, f"_set_{step['set'].replace('-', '_')}")(step)
        except StrongroomError as error:
            return Seen(False, error.status, error.code, None, {"message": error.message})
        return Seen(True, 200, "", None, {})

    def _attempt(self, step: Json) -> "Seen":
        reasons = self._reasons(step) if step["do"] in _RIGHT_OF and step["do"] != "create" else None
        who = self.users[step["as"]] if step.get("as") else self.world.admin
        try:
            with self.world.acting(who) as session:
                act = getattr(self, f"_do_{step['do'].replace('-', '_')}")
                facts = cast(Json, act(session, step) or {})
        except StrongroomError as error:
            return Seen(False, error.status, error.code, reasons, {"message": error.message})
        if step["do"] == "create" and "reasons" in step.get("expect", {}):
            reasons = self._reasons({**step, "record": step["new"]})
        return Seen(facts.pop("allowed", True), 200, "", facts.pop("reasons", reasons), facts)

    def _reasons(self, step: Json) -> set[str] | None:
        if "reasons" not in step.get("expect", {}) or step.get("as") is None:
            return None
        with self.world.administrating() as session:
            explanation = explain_access(
                session,
                Reference("systemuser", self.users[step["as"]]),
                self.records[step["record"]],
                _RIGHT_OF[step["do"]],
            )
        return {str(reason.code) for reason in explanation.reasons}

    def _do_read(self, session: Session, step: Json) -> None:
        self._read(session, step["record"], step.get("table"))

    def _read(self, session: Session, record: str, table: str | None = None, *columns: str) -> tuple[Value, ...]:
        missing = Guid("99999999-9999-4999-8999-999999999999")
        target = self.records.get(record) or Reference(self.tables[table or ""], missing)
        found = session.table(target.table)
        names = columns or ("new_name",)
        outputs = tuple(Output(name, Field("", found.columns[name])) for name in names)
        return retrieve(session, Select(Source(found), outputs), target.id).values

    def _do_list(self, session: Session, step: Json) -> Json:
        table = session.table(self.tables[step["table"]])
        where = None
        if "filter" in step:
            column = table.columns[f"new_{step['filter']['column']}"]
            where = Comparison(Operator.EQUAL, Field("", column), Literal(step["filter"]["eq"], ColumnType.STRING))
        page = retrieve_page(session, Select(Source(table), (Output("id", Field("", table.id_column)),), where=where))
        names = {reference.id: name for name, reference in self.records.items()}
        return {"ids": [names[record.id] for record in page.rows if record.id is not None]}

    def _do_columns(self, session: Session, step: Json) -> Json:
        wanted = list(step["expect"]["values"])
        values = self._read(session, step["record"], None, *(f"new_{name}" for name in wanted))
        return {"values": dict(zip(wanted, values, strict=True))}

    def _do_values(self, session: Session, step: Json) -> Json:
        table = session.table(self.tables[step["table"]])
        outputs = (Output("v", Field("", table.columns[f"new_{step['column']}"])),)
        page = retrieve_page(session, Select(Source(table), outputs))
        names = {reference.id: name for name, reference in self.records.items()}
        return {"values": {names[r.id]: r.values[0] for r in page.rows if r.id is not None}}

    def _do_expand(self, session: Session, step: Json) -> Json:
        target = self.records[step["record"]]
        table = session.table(target.table)
        link = next(
            r for r in session.schema.parents_of(target.table) if r.referencing_column == f"new_{step['lookup']}"
        )
        parent = session.table(link.referenced_table)
        inner = Select(Source(parent), (Output("new_name", Field("", parent.columns["new_name"])),))
        outer = Select(
            Source(table),
            (Output("new_name", Field("", table.columns["new_name"])),),
            expands=(Expand("parent", inner, relationship=link, to_parent=True),),
        )
        return {"expanded": retrieve(session, outer, target.id).expanded["parent"] is not None}

    def _do_create(self, session: Session, step: Json) -> None:
        self.records[step["new"]] = self.create(session, step["table"], self.values_of({**step, "id": step["new"]}))

    def _do_update(self, session: Session, step: Json) -> None:
        self._change(session, step, {f"new_{name}": value for name, value in step["values"].items()})

    def _change(self, session: Session, step: Json, changes: Mapping[str, Value]) -> None:
        target = self.records[step["record"]]
        update(session, session.table(target.table), target.id, changes)

    def _do_link(self, session: Session, step: Json) -> None:
        self._change(session, step, {f"new_{step['lookup']}": self.records[step["parent"]]})

    def _do_unlink(self, session: Session, step: Json) -> None:
        self._change(session, step, {f"new_{step['lookup']}": None})

    def _do_associate(self, session: Session, step: Json) -> None:
        link = session.schema.many_to_many[f"new_{step['relationship']}"]
        associate(session, link, self.records[step["a"]], self.records[step["b"]])

    def _do_disassociate(self, session: Session, step: Json) -> None:
        link = session.schema.many_to_many[f"new_{step['relationship']}"]
        disassociate(session, link, self.records[step["a"]], self.records[step["b"]])

    def _do_assign(self, session: Session, step: Json) -> None:
        self._change(session, step, {"ownerid": self.principal(step["to"])})

    def _do_move(self, session: Session, step: Json) -> None:
        self._change(session, step, {"owningbusinessunit": Reference("businessunit", self.units[step["bu"]])})

    def _do_delete(self, session: Session, step: Json) -> None:
        target = self.records[step["record"]]
        delete(session, session.table(target.table), target.id)

    def _do_share(self, session: Session, step: Json) -> None:
        grant_access(session, self.records[step["record"]], self.principal(step["with"]), rights_of(step["rights"]))

    def _do_modify_share(self, session: Session, step: Json) -> None:
        modify_access(session, self.records[step["record"]], self.principal(step["with"]), rights_of(step["rights"]))

    def _do_unshare(self, session: Session, step: Json) -> None:
        revoke_access(session, self.records[step["record"]], self.principal(step["with"]))

    def _do_rights(self, session: Session, step: Json) -> Json:
        found = principal_access(session, self.records[step["record"]], self.principal(step["principal"]))
        return {"rights": [name for name, right in RIGHTS.items() if right in found]}

    def _do_owner(self, session: Session, step: Json) -> Json:
        target = self.records[step["record"]]
        row = session.transaction.row(session.table(target.table), target.id)
        assert row is not None
        owner = session.transaction.principal(row.owner or Key(0))
        unit = session.transaction.unit_tree().units[row.unit or Key(0)].id
        names: dict[Reference, str] = {self.principal(f"user:{u}"): f"user:{u}" for u in self.users}
        names |= {self.principal(f"team:{t}"): f"team:{t}" for t in self.teams}
        units = {unit_id: name for name, unit_id in self.units.items()}
        return {"owner": names.get(owner, str(owner)), "bu": units.get(unit, str(unit))}

    def _do_exists(self, session: Session, step: Json) -> Json:
        target = self.records[step["record"]]
        return {"exists": session.transaction.row(session.table(target.table), target.id) is not None}

    def _do_explain(self, session: Session, step: Json) -> Json:
        principal = Reference("systemuser", self.users[step["user"]])
        explained = explain_access(session, principal, self.records[step["record"]], RIGHTS[step["right"]])
        return {
            "allowed": explained.allowed,
            "reasons": {str(reason.code) for reason in explained.reasons},
            "would_allow": explained.would_allow,
        }

    def _set_settings(self, step: Json) -> None:
        self.set_settings(step["values"])

    def _set_add_role(self, step: Json) -> None:
        self.give_role(step["role"], step["to"])

    def _set_remove_role(self, step: Json) -> None:
        self.give_role(step["role"], step["from"], take=True)

    def _set_privileges(self, step: Json) -> None:
        self.set_privileges(step["role"], step["table"], step["privileges"])

    def _set_add_member(self, step: Json) -> None:
        with self.world.administrating() as session:
            add_members(session, self.principal(f"team:{step['team']}").id, [self.users[step["user"]]])

    def _set_remove_member(self, step: Json) -> None:
        with self.world.administrating() as session:
            remove_members(session, self.principal(f"team:{step['team']}").id, [self.users[step["user"]]])

    def _set_user(self, step: Json) -> None:
        self.set_user(step["user"], step["values"])

    def _set_business_unit(self, step: Json) -> None:
        changes: dict[str, Value] = {}
        if "parent" in step:
            changes["parentbusinessunitid"] = Reference("businessunit", self.units[step["parent"]])
        if "disabled" in step:
            changes["isdisabled"] = step["disabled"]
        self.world.change("businessunit", self.units[step["bu"]], changes)

    def _set_profile(self, step: Json) -> None:
        for name in step.get("add_users", ()):
            self.open_profile(step["profile"], f"user:{name}")
        for name in step.get("remove_users", ()):
            self.open_profile(step["profile"], f"user:{name}", close=True)
        for name in step.get("add_teams", ()):
            self.open_profile(step["profile"], f"team:{name}")

    def _set_active(self, step: Json) -> None:
        self.set_active(step["record"], active=step["active"])


@dataclass
class Seen:
    """What came of a step."""

    allowed: bool
    status: int
    code: str
    reasons: set[str] | None
    facts: Json


_RIGHT_OF = {
    "read": Rights.READ,
    "update": Rights.WRITE,
    "delete": Rights.DELETE,
    "assign": Rights.ASSIGN,
    "share": Rights.SHARE,
    "modify-share": Rights.SHARE,
    "unshare": Rights.SHARE,
    "create": Rights.CREATE,
}


def rights_of(names: list[str]) -> Rights:
    found = Rights.NONE
    for name in names:
        found |= RIGHTS[name]
    return found
