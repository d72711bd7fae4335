"""The standard catalogue holds what the Web API specification (section 28) and the security model name."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from strongroom.schema.model import Cascade, ColumnType, Depth, Ownership, RequiredLevel, Rights, Schema
from strongroom.schema.standard_facts import load_facts
from strongroom.schema.standard_tables import keys_from_facts, standard_schema

EIGHT = {
    Rights.CREATE,
    Rights.READ,
    Rights.WRITE,
    Rights.DELETE,
    Rights.ASSIGN,
    Rights.SHARE,
    Rights.APPEND,
    Rights.APPEND_TO,
}


@pytest.fixture(scope="module")
def schema() -> Schema:
    return standard_schema()


def test_every_table_of_the_facts_is_there(schema: Schema) -> None:
    folder = Path(sys.modules["strongroom.schema.standard_tables"].__file__ or "").parent / "standard"
    index = json.loads((folder / "index.json").read_text())

    assert set(index["tables"]) <= schema.tables.keys()
    assert len(index["tables"]) == 85


def test_entity_set_names_are_those_of_wa_440(schema: Schema) -> None:
    wanted = """
        accounts contacts tasks annotations systemusers teams businessunits roles privileges fieldsecurityprofiles
        fieldpermissions organizations transactioncurrencies publishers solutions savedqueries userqueries audits
        sdkmessages sdkmessagefilters asyncoperations bulkdeleteoperations activityparties queues
        systemuserrolescollection teamrolescollection teammemberships roleprivilegescollection
        systemuserprofilescollection teamprofilescollection maskingrules attributemaskingrules
        principalobjectattributeaccessset positions
    """

    assert set(wanted.split()) <= schema.entity_sets.keys()


def test_user_owned_tables_have_the_system_columns_of_wa_441(schema: Schema) -> None:
    wanted = {
        "createdon": ColumnType.DATETIME,
        "modifiedon": ColumnType.DATETIME,
        "createdby": ColumnType.LOOKUP,
        "modifiedby": ColumnType.LOOKUP,
        "createdonbehalfby": ColumnType.LOOKUP,
        "modifiedonbehalfby": ColumnType.LOOKUP,
        "ownerid": ColumnType.OWNER,
        "owningbusinessunit": ColumnType.LOOKUP,
        "owninguser": ColumnType.LOOKUP,
        "owningteam": ColumnType.LOOKUP,
        "statecode": ColumnType.STATE,
        "statuscode": ColumnType.STATUS,
        "versionnumber": ColumnType.BIGINT,
        "overriddencreatedon": ColumnType.DATETIME,
        "importsequencenumber": ColumnType.INTEGER,
        "timezoneruleversionnumber": ColumnType.INTEGER,
        "utcconversiontimezonecode": ColumnType.INTEGER,
    }
    for table in schema.tables.values():
        if table.ownership is Ownership.USER:
            found = {name: column.type for name, column in table.columns.items() if name in wanted}
            assert found == wanted, table.logical_name


def test_organization_owned_tables_have_an_organization_and_no_owner(schema: Schema) -> None:
    """WA-441, SM-11."""
    for table in schema.tables.values():
        if table.ownership is Ownership.ORGANIZATION:
            assert "organizationid" in table.columns, table.logical_name
            is_organization = table.logical_name == "organization"
            assert table.columns["organizationid"].type.is_lookup is not is_organization, table.logical_name
            assert "ownerid" not in table.columns, table.logical_name


def test_account_has_the_columns_of_wa_442(schema: Schema) -> None:
    account = schema.tables["account"]
    lengths = {
        "name": 160,
        "accountnumber": 20,
        "telephone1": 50,
        "fax": 50,
        "emailaddress1": 100,
        "websiteurl": 200,
        "description": 2000,
        "address1_line1": 250,
        "address1_city": 80,
        "address1_stateorprovince": 50,
        "address1_postalcode": 20,
        "address1_country": 80,
    }

    assert {name: account.columns[name].max_length for name in lengths} == lengths
    assert account.columns["numberofemployees"].maximum == 1e9
    assert account.columns["revenue"].type is ColumnType.MONEY
    assert account.columns["creditonhold"].type is ColumnType.BOOLEAN
    assert [o.label for o in account.columns["accountcategorycode"].options] == ["Preferred Customer", "Standard"]
    assert len(account.columns["industrycode"].options) == 33
    assert account.columns["industrycode"].options[1].label == "Agriculture and Non-petrol Natural Resource Extraction"
    assert account.columns["customertypecode"].options[-1].label == "Other"
    assert account.columns["address1_latitude"].precision == 5
    assert account.columns["exchangerate"].precision == 10
    assert account.columns["primarycontactid"].targets == ("contact",)
    assert account.columns["entityimage"].type is ColumnType.IMAGE
    assert account.primary_image == "entityimage"


def test_contact_has_the_columns_of_wa_443(schema: Schema) -> None:
    contact = schema.tables["contact"]

    assert contact.primary_name == "fullname"
    assert not contact.columns["fullname"].valid_for_create
    assert contact.columns["birthdate"].is_date_only
    assert contact.columns["parentcustomerid"].type is ColumnType.CUSTOMER
    assert contact.columns["parentcustomerid"].targets == ("account", "contact")
    assert [(o.value, o.label) for o in contact.columns["gendercode"].options] == [(1, "Male"), (2, "Female")]


def test_task_has_the_columns_and_states_of_wa_444(schema: Schema) -> None:
    task = schema.tables["task"]

    assert task.primary_id == "activityid"
    assert {"account", "contact"} <= set(task.columns["regardingobjectid"].targets)
    assert [(o.value, o.label) for o in task.columns["statecode"].options] == [
        (0, "Open"),
        (1, "Completed"),
        (2, "Canceled"),
    ]
    assert [o.default_status for o in task.columns["statecode"].options] == [2, 5, 6]
    assert {o.value: o.state for o in task.columns["statuscode"].options} == {2: 0, 3: 0, 4: 0, 5: 1, 6: 2, 7: 0}


@pytest.mark.parametrize(
    ("child", "lookup_nav", "parent", "collection_nav"),
    [
        ("contact", "parentcustomerid_account", "account", "contact_customer_accounts"),
        ("account", "primarycontactid", "contact", "account_primary_contact"),
        ("account", "parentaccountid", "account", "account_parent_account"),
        ("task", "regardingobjectid_account_task", "account", "Account_Tasks"),
        ("task", "regardingobjectid_contact_task", "contact", "Contact_Tasks"),
        ("account", "owninguser", "systemuser", "user_accounts"),
        ("account", "createdby", "systemuser", "lk_accountbase_createdby"),
        ("sdkmessagefilter", "sdkmessageid", "sdkmessage", "sdkmessageid_sdkmessagefilter"),
        ("principalobjectattributeaccess", "objectid_account", "account", "account_principalobjectattributeaccess"),
        ("attributemaskingrule", "MaskingRuleId", "maskingrule", "maskingrule_attributemaskingrule_maskingruleid"),
        ("solution", "publisherid", "publisher", "publisher_solution"),
    ],
)
def test_navigation_names_are_those_of_wa_445(
    schema: Schema, child: str, lookup_nav: str, parent: str, collection_nav: str
) -> None:
    relationship = schema.lookup_nav(child, lookup_nav)

    assert relationship is not None
    assert (relationship.referenced_table, relationship.collection_nav) == (parent, collection_nav)
    assert schema.collection_nav(parent, collection_nav) is relationship


@pytest.mark.parametrize(
    ("table", "nav"),
    [
        ("team", "teammembership_association"),
        ("systemuser", "systemuserroles_association"),
        ("team", "teamroles_association"),
        ("role", "roleprivileges_association"),
        ("fieldsecurityprofile", "systemuserprofiles_association"),
        ("fieldsecurityprofile", "teamprofiles_association"),
    ],
)
def test_many_to_many_relationships_of_wa_445_and_wa_167_have_their_intersect(
    schema: Schema, table: str, nav: str
) -> None:
    association = schema.many_nav(table, nav)

    assert association is not None
    intersect = schema.tables[association.intersect]
    assert intersect.is_intersect
    assert intersect.columns[association.column1].type is ColumnType.UNIQUEIDENTIFIER
    assert intersect.columns[association.column2].type is ColumnType.UNIQUEIDENTIFIER


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        (
            "team",
            "name teamtype businessunitid administratorid isdefault description membershiptype "
            "azureactivedirectoryobjectid",
        ),
        (
            "systemuser",
            "fullname firstname lastname domainname internalemailaddress isdisabled accessmode businessunitid "
            "parentsystemuserid azureactivedirectoryobjectid applicationid positionid",
        ),
        ("businessunit", "name parentbusinessunitid isdisabled"),
        ("role", "name roleid parentrootroleid parentroleid businessunitid isinherited roletemplateid"),
        ("publisher", "friendlyname uniquename customizationprefix customizationoptionvalueprefix"),
        ("savedquery", "name returnedtypecode fetchxml layoutxml querytype isdefault statecode"),
        (
            "audit",
            "objectid objecttypecode userid callinguserid operation action createdon changedata transactionid",
        ),
        (
            "organization",
            "orgdborgsettings ishierarchicalsecuritymodelenabled usepositionhierarchy "
            "maxdepthforhierarchicalsecuritymodel sharetopreviousowneronassign",
        ),
    ],
)
def test_tables_have_the_columns_that_wa_448_and_the_security_model_name(
    schema: Schema, table: str, columns: str
) -> None:
    assert set(columns.split()) <= schema.tables[table].columns.keys()


def test_audit_object_may_be_a_row_of_any_table(schema: Schema) -> None:
    column = schema.tables["audit"].columns["objectid"]

    assert column.type is ColumnType.LOOKUP
    assert column.targets == ()


def test_names_are_unique_and_refer_to_what_exists(schema: Schema) -> None:
    assert len(schema.entity_sets) == len(schema.tables)
    assert len(schema.type_codes) == len(schema.tables)
    for table in schema.tables.values():
        assert table.id_column.type is ColumnType.UNIQUEIDENTIFIER
        assert table.primary_name is None or table.primary_name in table.columns
        assert set(table.derived.values()) <= table.columns.keys()
        assert not table.derived.keys() & table.columns.keys()
        for column in table.columns.values():
            assert set(column.targets) <= schema.tables.keys()
    for relationship in schema.relationships.values():
        child = schema.tables[relationship.referencing_table]
        column = child.columns[relationship.referencing_column]
        assert column.type.is_lookup
        assert relationship.referenced_table in column.targets
        assert relationship.referenced_column in schema.tables[relationship.referenced_table].columns
        assert schema.lookup_nav(child.logical_name, relationship.lookup_nav) is relationship
        assert schema.collection_nav(relationship.referenced_table, relationship.collection_nav) is relationship


def test_every_target_of_a_lookup_has_exactly_one_relationship_except_owners(schema: Schema) -> None:
    for table in schema.tables.values():
        for column in table.columns.values():
            found = [
                r.referenced_table
                for r in schema.parents_of(table.logical_name)
                if r.referencing_column == column.logical_name
            ]
            wanted = column.targets if column.type in (ColumnType.LOOKUP, ColumnType.CUSTOMER) else ()
            assert sorted(found) == sorted(wanted), f"{table.logical_name}.{column.logical_name}"


def test_privileges_follow_ownership(schema: Schema) -> None:
    """SM-10, SM-11, SM-12, SM-20."""
    account = schema.tables["account"].privileges
    competitor = schema.tables["competitor"].privileges
    unit = schema.tables["businessunit"].privileges

    assert account.keys() == EIGHT
    assert account[Rights.READ].name == "prvReadAccount"
    assert account[Rights.READ].id == "886b280c-6396-4d56-a0a3-2c1b0a50ceb0"
    assert account[Rights.READ].depths == set(Depth)
    assert competitor.keys() == EIGHT - {Rights.ASSIGN, Rights.SHARE}
    assert {p.depths for p in competitor.values()} == {frozenset({Depth.GLOBAL})}
    assert unit[Rights.APPEND_TO].name == "prvAppendToBusinessUnit"
    assert unit[Rights.APPEND_TO].depths == {Depth.LOCAL, Depth.DEEP, Depth.GLOBAL}
    assert schema.tables["systemuserroles"].privileges == {}


def test_activities_share_the_privileges_of_activitypointer(schema: Schema) -> None:
    read = schema.tables["activitypointer"].privileges[Rights.READ]

    for name in ("task", "email", "phonecall", "appointment", "letter", "fax"):
        assert schema.tables[name].privileges[Rights.READ] is read
    assert read.name == "prvReadActivity"


@pytest.mark.parametrize(
    "name",
    [
        "prvActOnBehalfOfAnotherUser",
        "prvReadAuditSummary",
        "prvReadRecordAuditHistory",
        "prvReadAuditPartitions",
        "prvDeleteAuditPartitions",
        "prvDeleteRecordChangeHistory",
        "prvOverrideCreatedOnCreatedBy",
        "prvBypassCustomPlugins",
        "prvCreateEntity",
        "prvWriteAttribute",
        "prvDeleteRelationship",
        "prvReadOptionSet",
        "prvAssignManager",
    ],
)
def test_privileges_without_a_table_give_no_right_over_rows(schema: Schema, name: str) -> None:
    privilege = schema.privileges_by_name[name]

    assert (privilege.table, privilege.right) == (None, Rights.NONE)


def test_ids_of_privileges_and_metadata_are_distinct(schema: Schema) -> None:
    ids = [t.metadata_id for t in schema.tables.values()]
    ids += [c.metadata_id for t in schema.tables.values() for c in t.columns.values()]
    ids += [r.metadata_id for r in schema.relationships.values()]
    ids += [r.metadata_id for r in schema.many_to_many.values()]

    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", id_) for id_ in ids)
    assert {p.name: p.id for p in schema.privileges_by_id.values()}.keys() == schema.privileges_by_name.keys()


def test_cascades_are_those_of_the_facts_and_parts_go_with_the_whole(schema: Schema) -> None:
    """Security model, section 7."""
    tasks = schema.relationships["Account_Tasks"].cascade
    created = schema.relationships["lk_accountbase_createdby"].cascade
    quote = next(r for r in schema.parents_of("quotedetail") if r.referencing_column == "quoteid")
    cases = {
        r.referenced_table: r.cascade for r in schema.parents_of("incident") if r.referencing_column == "customerid"
    }

    assert (tasks.assign, tasks.share, tasks.delete) == ("Cascade", "Cascade", "Cascade")
    assert created == Cascade(delete="NoCascade")
    assert (quote.cascade.assign, quote.cascade.delete) == ("Cascade", "Cascade")
    assert cases["account"] == cases["contact"]
    assert cases["account"].delete == "Cascade"


def test_hierarchies_are_marked(schema: Schema) -> None:
    """WA-206."""
    found = {r.referencing_table: r.referencing_column for r in schema.relationships.values() if r.is_hierarchical}

    assert found == {
        "account": "parentaccountid",
        "systemuser": "parentsystemuserid",
        "businessunit": "parentbusinessunitid",
        "position": "parentpositionid",
    }


def test_a_create_need_not_name_what_the_platform_fills_in(schema: Schema) -> None:
    """WA-112: what is SystemRequired on tables that clients create stays little."""
    required = {
        f"{table}.{column.logical_name}"
        for table in ("account", "contact", "task", "opportunity", "role", "team", "businessunit", "systemuser")
        for column in schema.tables[table].columns.values()
        if column.required is RequiredLevel.SYSTEM_REQUIRED
        and column.valid_for_create
        and column.default is None
        and column.logical_name != schema.tables[table].primary_id
        and column.type is not ColumnType.OWNER
    }

    assert required == {
        "businessunit.name",
        "role.businessunitid",
        "role.name",
        "systemuser.businessunitid",
        "team.administratorid",
        "team.businessunitid",
        "team.name",
    }


def test_building_the_catalogue_is_quick_enough_for_a_cold_start() -> None:
    """The whole process must be able to answer within 0.8 s of its start."""
    code = (
        "import time; a = time.process_time();"
        "from strongroom.schema.standard_tables import standard_schema; standard_schema();"
        "print(time.process_time() - a)"
    )
    seconds = min(
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout)
        for _ in range(2)
    )

    assert seconds < 0.4


def test_keys_of_the_facts_are_taken_unless_they_mean_nothing_here(schema: Schema) -> None:
    facts = load_facts()["account"]
    facts["keys"] = [
        {"name": "ByNumber", "columns": ["accountnumber"]},
        {"name": "rnwood_Mine", "columns": ["name"]},
        {"name": "Layered", "columns": ["name", "componentstate"]},
        {"name": "Unknown", "columns": ["nothing"]},
    ]

    keys = keys_from_facts(facts, schema.tables["account"].columns)

    assert [(key.schema_name, key.logical_name, key.columns) for key in keys] == [
        ("ByNumber", "bynumber", ("accountnumber",))
    ]
