"""Seven tables with a column of every type, so that tests of readers are fast and say all that they rest on."""

from collections.abc import Iterable

from strongroom.ids import Guid
from strongroom.query.ast import ReadContext
from strongroom.schema.model import (
    AlternateKey,
    Column,
    ColumnType,
    DateBehavior,
    ManyToMany,
    Option,
    Ownership,
    Relationship,
    Schema,
    Table,
)

USER = "11111111-1111-1111-1111-111111111111"
UNIT = "22222222-2222-2222-2222-222222222222"
TEAM = "33333333-3333-3333-3333-333333333333"
ID = "44444444-4444-4444-4444-444444444444"
CONTEXT = ReadContext(USER, UNIT, (TEAM,), "2024-05-01T10:15:00Z")

_T = ColumnType
_OWNED = ("account", "contact", "task")


def _id(text: str) -> Guid:
    """A metadata id that is the same in every run."""
    number = int.from_bytes(text.encode()[-15:], "big")
    return Guid(f"{number:032x}")


def _column(table: str, name: str, kind: ColumnType, **facts: object) -> Column:
    return Column(name, name.title(), kind, _id(f"{table}.{name}"), **facts)  # pyright: ignore[reportArgumentType]


def _lookup(table: str, name: str, *targets: str, kind: ColumnType = _T.LOOKUP) -> Column:
    return _column(table, name, kind, targets=targets)


def _owned(table: str) -> list[Column]:
    return [
        _lookup(table, "ownerid", "systemuser", "team", kind=_T.OWNER),
        _lookup(table, "owninguser", "systemuser"),
        _lookup(table, "owningteam", "team"),
        _lookup(table, "owningbusinessunit", "businessunit"),
        _column(table, "createdon", _T.DATETIME),
        _column(table, "statecode", _T.STATE, options=(Option(0, "Active"), Option(1, "Inactive"))),
        _column(table, "versionnumber", _T.BIGINT),
    ]


def _table(name: str, code: int, ownership: Ownership, columns: Iterable[Column], **facts: object) -> Table:
    primary_id = str(facts.pop("primary_id", f"{name}id"))
    every = [_column(name, primary_id, _T.UNIQUEIDENTIFIER), *columns]
    return Table(
        logical_name=name,
        schema_name=name.title(),
        entity_set_name=f"{name}s",
        object_type_code=code,
        metadata_id=_id(name),
        ownership=ownership,
        label=name,
        collection_label=f"{name}s",
        description="",
        primary_id=primary_id,
        primary_name=str(facts.pop("primary_name", "name")),
        columns={column.logical_name: column for column in every},
        **facts,  # pyright: ignore[reportArgumentType]
    )


def _tables() -> list[Table]:
    account = [
        _column("account", "name", _T.STRING, max_length=160),
        _column("account", "accountnumber", _T.STRING),
        _column("account", "description", _T.MEMO),
        _column("account", "numberofemployees", _T.INTEGER),
        _column("account", "revenue", _T.MONEY),
        _column("account", "creditlimit", _T.MONEY),
        _column("account", "exchangerate", _T.DECIMAL, precision=10),
        _column("account", "rating", _T.DECIMAL, precision=2),
        _column("account", "address1_latitude", _T.DOUBLE),
        _column("account", "creditonhold", _T.BOOLEAN),
        _column("account", "industrycode", _T.PICKLIST, options=(Option(1, "Accounting"), Option(2, "Agriculture"))),
        _column("account", "sports", _T.MULTISELECT),
        _column("account", "founded", _T.DATETIME, behavior=DateBehavior.DATE_ONLY),
        _column("account", "opens", _T.DATETIME, behavior=DateBehavior.TIME_ZONE_INDEPENDENT),
        _column("account", "contract", _T.FILE),
        _column("account", "entityimage", _T.IMAGE),
        _column("account", "secretnote", _T.STRING, valid_for_read=False),
        _column("account", "language", _T.INTEGER),
        _column("account", "processid", _T.UNIQUEIDENTIFIER),
        _lookup("account", "primarycontactid", "contact"),
        _lookup("account", "parentaccountid", "account"),
        _lookup("account", "transactioncurrencyid", "transactioncurrency"),
        _lookup("account", "sr_keyperson", "contact"),
    ]
    contact = [
        _column("contact", "fullname", _T.STRING),
        _column("contact", "firstname", _T.STRING),
        _column("contact", "lastname", _T.STRING),
        _column("contact", "emailaddress1", _T.STRING),
        _lookup("contact", "parentcustomerid", "account", "contact", kind=_T.CUSTOMER),
    ]
    task = [
        _column("task", "subject", _T.STRING),
        _column("task", "percentcomplete", _T.INTEGER),
        _column("task", "activitytypecode", _T.ENTITYNAME),
        _lookup("task", "regardingobjectid", "account", "contact"),
    ]
    user = [
        _column("systemuser", "fullname", _T.STRING),
        _lookup("systemuser", "businessunitid", "businessunit"),
        _lookup("systemuser", "parentsystemuserid", "systemuser"),
    ]
    team = [_column("team", "name", _T.STRING), _lookup("team", "businessunitid", "businessunit")]
    unit = [_column("businessunit", "name", _T.STRING), _lookup("businessunit", "parentbusinessunitid", "businessunit")]
    keys = (
        AlternateKey("byname", "ByName", _id("k1"), "", ("accountnumber",)),
        AlternateKey("bycontact", "ByContact", _id("k2"), "", ("primarycontactid", "industrycode")),
        AlternateKey("broken", "Broken", _id("k3"), "", ("description",), is_active=False),
    )
    owned, business = Ownership.USER, Ownership.BUSINESS
    return [
        _table("account", 1, owned, [*account, *_owned("account")], keys=keys),
        _table("contact", 2, owned, [*contact, *_owned("contact")], primary_name="fullname"),
        _table(
            "task",
            4212,
            owned,
            [*task, *_owned("task")],
            primary_id="activityid",
            primary_name="subject",
            is_activity=True,
        ),
        _table("systemuser", 8, business, user, primary_name="fullname"),
        _table("team", 9, business, team),
        _table("businessunit", 10, business, unit),
        _table(
            "transactioncurrency", 9105, Ownership.ORGANIZATION, [_column("transactioncurrency", "name", _T.STRING)]
        ),
    ]


def _relationships() -> list[Relationship]:
    owners = (
        ("owninguser", "systemuser", "user"),
        ("owningteam", "team", "team"),
        ("owningbusinessunit", "businessunit", "business_unit"),
    )
    found = [
        ("account_primary_contact", "account", "primarycontactid", "contact", "primarycontactid"),
        ("account_parent_account", "account", "parentaccountid", "account", "parentaccountid"),
        ("sr_keyperson_accounts", "account", "sr_keyperson", "contact", "sr_KeyPerson"),
        ("contact_customer_accounts", "contact", "parentcustomerid", "account", "parentcustomerid_account"),
        ("contact_customer_contacts", "contact", "parentcustomerid", "contact", "parentcustomerid_contact"),
        ("Account_Tasks", "task", "regardingobjectid", "account", "regardingobjectid_account_task"),
        ("user_parent_user", "systemuser", "parentsystemuserid", "systemuser", "parentsystemuserid"),
        ("business_unit_system_users", "systemuser", "businessunitid", "businessunit", "businessunitid"),
        *(
            (f"{who}_{table}s", table, column, target, column if table != "task" else f"{column}_task")
            for table in _OWNED
            for column, target, who in owners
        ),
        ("sr_gone", "account", "sr_keyperson", "sr_gone", "sr_Gone"),
        ("sr_gone_accounts", "sr_gone", "sr_accountid", "account", "sr_AccountId"),
    ]
    return [
        Relationship(
            schema_name=name,
            metadata_id=_id(name),
            referenced_table=parent,
            referenced_column=f"{parent}id",
            referencing_table=child,
            referencing_column=column,
            lookup_nav=nav,
            collection_nav=name,
            is_hierarchical=name == "account_parent_account",
        )
        for name, child, column, parent, nav in found
    ]


def _many_to_many() -> list[ManyToMany]:
    def between(name: str, table1: str, column1: str, nav1: str, table2: str, column2: str, nav2: str) -> ManyToMany:
        return ManyToMany(name, _id(name), table1, column1, nav1, table2, column2, nav2, name)

    members = "teammembership_association"
    return [
        between(members, "team", "teamid", members, "systemuser", "systemuserid", members),
        between(
            "sr_gone_association", "sr_gone", "sr_goneid", "sr_gone_accounts_nn", "account", "accountid", "sr_gone_nn"
        ),
        between("sr_partners", "account", "accountidone", "sr_partner_of", "account", "accountidtwo", "sr_partners"),
    ]


SCHEMA = Schema(
    version=1,
    tables={table.logical_name: table for table in _tables()},
    relationships={relationship.schema_name: relationship for relationship in _relationships()},
    many_to_many={association.schema_name: association for association in _many_to_many()},
    choices={},
    extra_privileges={},
)
ACCOUNT = SCHEMA.tables["account"]
CONTACT = SCHEMA.tables["contact"]
TASK = SCHEMA.tables["task"]
USERS = SCHEMA.tables["systemuser"]
