"""A few rows whose answers to a query are known, for the sections on queries."""

from dataclasses import dataclass
from urllib.parse import quote

from tests.wire.client import Api, Json, unique


@dataclass(frozen=True, slots=True)
class Sample:
    """Four accounts, two contacts and three tasks; all of their names begin with `stem`.

    | account | employees | revenue | number | contact | parent | tasks |
    | --- | --- | --- | --- | --- | --- | --- |
    | `ada` | 5 | 100.50 | `ADA` | Grace | – | open `Call`, done `Mail` |
    | `bob` | 10 | – | – | Grace | ada | open `Visit` |
    | `c%d` | – | 300 | `c%d` | Linus | bob | – |
    | `Éva` | 10 | 100.50 | – | – | – | – |
    """

    api: Api
    stem: str
    ids: dict[str, str]
    contacts: dict[str, str]

    def where(self, condition: str, extra: str = "") -> list[str]:
        """The accounts for which `condition` holds, by name."""
        wanted = quote(f"startswith(name,'{self.stem}') and ({condition})")
        rows = self.api.rows(f"accounts?$select=name&$orderby=name&$filter={wanted}{extra}")
        return [self.short(row["name"]) for row in rows]

    def refused(self, condition: str, says: str = "", status: int = 400, code: str | None = "0x80060888") -> None:
        """`condition` cannot be read."""
        self.api.refused("GET", f"accounts?$filter={quote(condition)}", status=status, code=code, says=says)

    def fetched(self, inside: str, attributes: str = "", headers: dict[str, str] | None = None) -> list[Json]:
        """The rows of a FetchXML query over the accounts: what stands inside of `entity`."""
        return self.api.rows(f"accounts?fetchXml={quote(self.fetch(inside, attributes))}", headers)

    def fetch(self, inside: str, attributes: str = "") -> str:
        """FetchXML over the sample's accounts."""
        return (
            f"<fetch {attributes}><entity name='account'>{inside}<filter>"
            f"<condition attribute='name' operator='like' value='{self.stem}%'/></filter></entity></fetch>"
        )

    def meeting(self, conditions: str) -> list[str]:
        """The accounts that meet a FetchXML filter."""
        rows = self.fetched(f"<attribute name='name'/><filter>{conditions}</filter><order attribute='name'/>")
        return [self.short(row["name"]) for row in rows]

    def short(self, name: str) -> str:
        return name.removeprefix(self.stem)


def make_sample(api: Api) -> Sample:
    """The rows of `Sample`, under names of their own."""
    stem = f"{unique('S')} "
    contacts = {
        name: api.new("contacts", {"firstname": name, "lastname": stem.strip(), "jobtitle": f"{stem}{name}"})
        for name in ("Grace", "Linus")
    }
    ids: dict[str, str] = {}

    def account(name: str, contact: str | None = None, parent: str | None = None, **values: object) -> None:
        body: Json = {"name": stem + name, **values}
        if contact is not None:
            body["primarycontactid@odata.bind"] = f"contacts({contacts[contact]})"
        if parent is not None:
            body["parentaccountid@odata.bind"] = f"accounts({ids[parent]})"
        ids[name] = api.new("accounts", body)

    account("ada", "Grace", numberofemployees=5, revenue=100.5, accountnumber="ADA", industrycode=1)
    account("bob", "Grace", "ada", numberofemployees=10, creditonhold=True, industrycode=1)
    account("c%d", "Linus", "bob", revenue=300, accountnumber="c%d", industrycode=2)
    account("Éva", numberofemployees=10, revenue=100.5)
    for subject, name, is_done in (("Call", "ada", False), ("Mail", "ada", True), ("Visit", "bob", False)):
        task = api.new(
            "tasks", {"subject": stem + subject, "regardingobjectid_account_task@odata.bind": f"accounts({ids[name]})"}
        )
        if is_done:
            assert api.send("PATCH", f"tasks({task})", {"statecode": 1, "statuscode": 5}).status_code == 204
    return Sample(api, stem, ids, contacts)
