"""Who am I, where am I, how much is here (WA-383 to WA-385, WA-394, WA-335)."""

from strongroom import __version__
from strongroom.access.resolve import require_privilege
from strongroom.errors import InvalidRequest
from strongroom.messages.operation import Arguments, Kind, Operation, Parameter, Result, action, function
from strongroom.query.ast import Field, Output, Select, Source
from strongroom.records import Session, count

_EXACT = 1_000_000_000


def _organization_id(session: Session) -> str:
    rows = session.transaction.rows_where(session.table("organization"), {}, limit=1)
    return rows[0].id


def _who_am_i(session: Session, _: Arguments) -> Result:
    """SM-172: works for every enabled user, also without a role."""
    return {
        "BusinessUnitId": session.caller.unit_id,
        "UserId": session.caller.id,
        "OrganizationId": _organization_id(session),
    }


def _version(session: Session, _: Arguments) -> Result:
    del session
    major, minor, *_rest = (*__version__.split("."), "0", "0")
    return {"Version": f"9.2.{int(major)}.{int(minor)}"}


def _current_organization(session: Session, _: Arguments) -> Result:
    organization = session.transaction.rows_where(session.table("organization"), {}, limit=1)[0]
    name = str(organization.values.get("name"))
    return {
        "Detail": {
            "OrganizationId": organization.id,
            "FriendlyName": name,
            "OrganizationVersion": "9.2.0.0",
            "EnvironmentId": organization.id,
            "UrlName": name,
            "UniqueName": name,
            "State": "Enabled",
            "Endpoints": {"Count": 0, "IsReadOnly": False, "Keys": [], "Values": []},
        }
    }


def _total_record_count(session: Session, arguments: Arguments) -> Result:
    """WA-238: as many as the caller may read, exactly."""
    keys: list[str] = []
    values: list[int] = []
    for name in arguments.strings("EntityNames"):
        table = session.schema.tables.get(name)
        if table is None:
            raise InvalidRequest(f"There is no table '{name[:100]}'.", code="0x80041102")
        select = Select(Source(table), (Output(table.primary_id, Field("", table.id_column)),))
        keys.append(name)
        values.append(count(session, select, _EXACT))
    collection = {"Count": len(keys), "IsReadOnly": False, "Keys": keys, "Values": values}
    return {"EntityRecordCountCollection": collection}


def _languages(_: Session, __: Arguments) -> Result:
    return {"LocaleIds": [1033]}


def _provisioned_languages(_: Session, __: Arguments) -> Result:
    return {"RetrieveProvisionedLanguages": [1033]}


def _timestamp(session: Session, _: Arguments) -> Result:
    return {"Timestamp": f"{session.schema.version}!{session.now}"}


def _published(session: Session, _: Arguments) -> Result:
    """WA-349: nothing needs publishing, so this does nothing for those who may publish, and is refused to others."""
    require_privilege(session.caller, "prvPublishCustomization")
    return None


OPERATIONS: tuple[Operation, ...] = (
    function(
        "WhoAmI",
        _who_am_i,
        properties={"BusinessUnitId": "Edm.Guid", "UserId": "Edm.Guid", "OrganizationId": "Edm.Guid"},
    ),
    function("RetrieveVersion", _version, properties={"Version": "Edm.String"}),
    function(
        "RetrieveCurrentOrganization",
        _current_organization,
        Parameter("AccessType", Kind.ENUM, type="mscrm.EndpointAccessType"),
        properties={"Detail": "mscrm.OrganizationDetail"},
    ),
    function(
        "RetrieveTotalRecordCount",
        _total_record_count,
        Parameter("EntityNames", Kind.STRINGS),
        properties={"EntityRecordCountCollection": "mscrm.EntityRecordCountCollection"},
    ),
    function("RetrieveAvailableLanguages", _languages, properties={"LocaleIds": "Collection(Edm.Int32)"}),
    function(
        "RetrieveProvisionedLanguages",
        _provisioned_languages,
        properties={"RetrieveProvisionedLanguages": "Collection(Edm.Int32)"},
    ),
    function("RetrieveTimestamp", _timestamp, properties={"Timestamp": "Edm.String"}),
    action("PublishXml", _published, Parameter("ParameterXml", Kind.STRING, required=False)),
    action("PublishAllXml", _published),
)
