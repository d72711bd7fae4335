"""The demo company is believable, whole, and the same for the same seed."""

import unicodedata
from collections import Counter
from decimal import Decimal
from itertools import islice, pairwise

import pytest

from strongroom.ids import Guid, Reference, parse_guid
from strongroom.jobs.demo import DemoCompany, Row, company
from strongroom.schema.model import Column, ColumnType, Depth, Rights
from strongroom.schema.standard_tables import standard_schema

SCHEMA = standard_schema()
ROOT = Guid("00000000-0000-7000-8000-000000000001")
ACCOUNTS = 400
UNTIL = "2026-06-30T00:00:00Z"


@pytest.fixture(scope="module")
def made() -> DemoCompany:
    return company(1, ACCOUNTS, root_unit=ROOT, until=UNTIL)


@pytest.fixture(scope="module")
def rows(made: DemoCompany) -> dict[str, list[Row]]:
    """Every row by table, the company's inside included."""
    staff = made.people
    inside: dict[str, list[Row]] = {
        "businessunit": list(staff.units),
        "systemuser": list(staff.users),
        "team": list(staff.teams),
        "role": [row for row, _ in staff.roles],
    }
    return inside | {batch.table: list(batch.rows()) for batch in made.batches()}


def test_the_company_has_the_size_that_was_asked_for(made: DemoCompany, rows: dict[str, list[Row]]):
    assert {table: len(found) for table, found in rows.items() if table in ("businessunit", "systemuser", "team")} == {
        "businessunit": 8,
        "systemuser": 60,
        "team": 10,
    }
    assert len(made.people.roles) == 8
    assert len(rows["account"]) == ACCOUNTS
    assert len(rows["contact"]) == ACCOUNTS * 12 // 5
    assert {batch.table: batch.count for batch in made.batches()} == {
        batch.table: len(rows[batch.table]) for batch in made.batches()
    }
    assert company(1, root_unit=ROOT).accounts == 5000


def test_units_have_three_levels_and_teams_are_of_both_kinds(made: DemoCompany):
    parents = {row["businessunitid"]: row["parentbusinessunitid"] for row in made.people.units}

    def level(unit: object) -> int:
        above = parents[unit]
        assert isinstance(above, Reference)
        return 1 if above.id == ROOT else 1 + level(above.id)

    assert Counter(level(unit) for unit in parents) == {1: 3, 2: 3, 3: 2}
    assert Counter(row["teamtype"] for row in made.people.teams) == {0: 6, 1: 4}


def test_everybody_but_the_chief_has_a_manager_who_came_before(made: DemoCompany):
    seen: set[object] = set()
    without: list[object] = []
    for row in made.people.users:
        manager = row.get("parentsystemuserid")
        if manager is None:
            without.append(row["jobtitle"])
        else:
            assert isinstance(manager, Reference)
            assert manager.id in seen
        seen.add(row["systemuserid"])

    assert without == ["Chief Executive"]


def test_roles_use_privileges_of_the_catalogue_at_depths_that_they_have_and_reach_every_depth(made: DemoCompany):
    """SM-20, SM-30."""
    depths: set[Depth] = set()
    for _, role in made.people.roles:
        for name, depth in role.privileges.items():
            assert depth in SCHEMA.privileges_by_name[name].depths, name
        depths.add(role.privileges.get("prvReadAccount", Depth.GLOBAL))

    assert depths == set(Depth)


def test_the_four_personas_have_four_different_reaches(made: DemoCompany):
    reach = {persona.login: persona.role.privileges["prvReadAccount"] for persona in made.personas}

    assert reach == {
        "sofia@meridian.example": Depth.BASIC,
        "amara@meridian.example": Depth.LOCAL,
        "jonas@meridian.example": Depth.DEEP,
        "helen@meridian.example": Depth.GLOBAL,
    }
    assert all(persona.sees for persona in made.personas)
    helen = next(persona for persona in made.personas if persona.login.startswith("helen"))
    assert all(name.startswith("prvRead") or "AppendTo" in name for name in helen.role.privileges)


def test_each_persona_but_the_auditor_owns_accounts(made: DemoCompany, rows: dict[str, list[Row]]):
    owners = Counter(row["ownerid"] for row in rows["account"])

    owned = {persona.login.split("@")[0]: owners[Reference("systemuser", persona.user)] for persona in made.personas}

    assert owned["helen"] == 0
    assert min(owned[name] for name in ("sofia", "amara", "jonas")) > 0
    assert max(owners.values()) > 4 * ACCOUNTS / len(owners) / 2


def test_every_value_fits_its_column(rows: dict[str, list[Row]]):
    for name, found in rows.items():
        table = SCHEMA.tables[name]
        for row in found:
            for key, value in row.items():
                assert key in table.columns, f"{name}.{key}"
                if value is not None:
                    assert _fits(table.columns[key], value), f"{name}.{key} = {value!r}"


def _fits(column: Column, value: object) -> bool:
    kind = column.type
    if kind.is_lookup:
        return isinstance(value, Reference) and value.table in column.targets
    if kind.is_choice:
        return value in {option.value for option in column.options}
    if kind is ColumnType.DATETIME:
        is_day = isinstance(value, str) and len(value) == 10
        return is_day if column.is_date_only else isinstance(value, str) and len(value) == 20 and value.endswith("Z")
    if kind is ColumnType.UNIQUEIDENTIFIER:
        return isinstance(value, str) and parse_guid(value) == value
    if isinstance(value, str):
        units = len(value.encode("utf-16-le")) // 2
        return (kind.is_text or kind is ColumnType.ENTITYNAME) and units <= (column.max_length or 10**9)
    types = {ColumnType.INTEGER: int, ColumnType.BOOLEAN: bool, ColumnType.MONEY: Decimal, ColumnType.DECIMAL: Decimal}
    low, high = column.minimum, column.maximum
    is_inside = not isinstance(value, int | Decimal) or (
        (low is None or value >= low) and (high is None or value <= high)
    )
    return type(value) is types[kind] and is_inside


def test_every_lookup_leads_to_a_row_that_came_before(rows: dict[str, list[Row]]):
    """But for the primary contact, which is one of the account's own."""
    known: dict[str, set[object]] = {"businessunit": {ROOT}}
    for name, found in rows.items():
        primary = SCHEMA.tables[name].primary_id
        for row in found:
            for key, value in row.items():
                if isinstance(value, Reference) and key != "primarycontactid":
                    assert value.id in known[value.table], f"{name}.{key}"
            ids = known.setdefault(name, set())
            assert row[primary] not in ids
            ids.add(row[primary])
    contacts = {row["contactid"]: row["parentcustomerid"] for row in rows["contact"]}
    for row in rows["account"]:
        contact = row["primarycontactid"]
        assert isinstance(contact, Reference)
        assert contacts[contact.id] == Reference("account", Guid(str(row["accountid"])))


def test_the_total_of_an_opportunity_is_that_of_its_lines_and_they_share_its_owner(rows: dict[str, list[Row]]):
    sums: Counter[object] = Counter()
    owners: dict[object, object] = {}
    for line in rows["opportunityproduct"]:
        opportunity, amount = line["opportunityid"], line["extendedamount"]
        assert isinstance(opportunity, Reference)
        assert isinstance(amount, Decimal)
        sums[opportunity.id] += int(amount)
        owners[opportunity.id] = line["ownerid"]

    for row in rows["opportunity"]:
        assert row["totalamount"] == sums[row["opportunityid"]]
        assert row["ownerid"] == owners[row["opportunityid"]]


def test_names_come_in_many_scripts(rows: dict[str, list[Row]]):
    scripts = {
        unicodedata.name(letter).split(" ")[0]
        for row in (*rows["account"], *rows["contact"])
        for letter in str(row.get("name", row.get("lastname")))
        if letter.isalpha()
    }
    names = " ".join(str(row["name"]) for row in rows["account"])

    assert {
        *("LATIN", "GREEK", "CYRILLIC", "ARABIC", "HEBREW", "DEVANAGARI", "CJK", "HIRAGANA", "KATAKANA", "HANGUL")
    } <= scripts
    assert all(letter in names for letter in "İıßéñłřåςё")


def test_ids_of_one_table_are_in_order_so_that_inserts_go_to_the_end(rows: dict[str, list[Row]]):
    for table in ("account", "contact", "task"):
        ids = [str(row[SCHEMA.tables[table].primary_id]) for row in rows[table]]
        assert all(one < other for one, other in pairwise(ids))


def test_nothing_was_made_after_the_companys_present(rows: dict[str, list[Row]]):
    made_on = [str(row["createdon"]) for found in rows.values() for row in found if "createdon" in row]

    assert max(made_on) < UNTIL
    assert min(made_on) > "2023"


def test_shares_are_one_for_twenty_accounts_and_six_percent_of_them_with_one_user(made: DemoCompany):
    company_of_5000 = company(1, root_unit=ROOT)
    shares = list(company_of_5000.shares())
    sofia = Reference("systemuser", next(p.user for p in made.personas if p.login.startswith("sofia")))

    assert len(shares) == 250
    assert len({(share.row, share.principal) for share in shares}) == 250
    assert sum(share.principal == sofia for share in shares) == 15
    assert all(share.rights & Rights.READ for share in shares)
    assert any(share.principal.table == "team" for share in shares)


def test_the_same_seed_makes_the_same_company_and_another_seed_another():
    def sample(seed: int, accounts: int) -> list[Row]:
        found = company(seed, accounts, root_unit=ROOT)
        return [row for batch in found.batches() for row in islice(batch.rows(), 20)]

    assert sample(1, 100) == sample(1, 100)
    ids_of_1, ids_of_2 = ({row["accountid"] for row in sample(seed, 100) if "accountid" in row} for seed in (1, 2))
    assert ids_of_1.isdisjoint(ids_of_2)
    assert len(sample(1, 1)) >= 1


def test_any_part_of_the_accounts_can_be_made_alone():
    (batch,) = [each for each in company(1, 3000, root_unit=ROOT).batches() if each.table == "account"]
    one_go = list(batch.rows())

    again = list(company(1, 3000, root_unit=ROOT).account_rows(1000, 1010))

    assert again == one_go[1000:1010]
