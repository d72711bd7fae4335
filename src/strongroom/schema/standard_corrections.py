"""What the standard catalogue settles where its facts are silent or do not fit this platform.

Kept apart from the facts, so that a look shows every place where we decided something.
"""

from strongroom.schema.model import Cascade

ENTITY_SETS = {"teammembership": "teammemberships"}
"""Entity set names that differ from the facts (WA-440)."""

TYPE_CODES = {
    "accountleads": 16,
    "contactinvoices": 17,
    "contactquotes": 18,
    "contactorders": 19,
    "servicecontractcontacts": 20,
    "contactleads": 22,
    "leadcompetitors": 24,
    "leadproduct": 27,
    "roletemplateprivileges": 28,
    "queuemembership": 1213,
    "appmoduleroles": 9009,
}
"""Type codes of intersect tables that the facts name without describing them."""

FOREIGN_ASSOCIATIONS = frozenset({"appmodulecomponent_association"})
"""Many-to-many entries that are not what they say."""

FOREIGN_PREFIXES = ("rnwood_", "cr539_", "adx_")
"""Customisations of the environments that the facts were read from."""

FOREIGN_KEY_COLUMNS = frozenset({"componentstate", "membershiptype", "overwritetime"})
"""Keys over these are left out: the layering of solutions does not exist here, and the key of teams by directory
group would let only one team be without a group, because rows with some nulls are compared (WA-346)."""

LEFT_OUT = frozenset({("workflow", "plugintypeid")})
"""Lookups whose facts name a target and no relationship to it."""

ANY_TABLE = frozenset({("audit", "objectid"), ("audit", "regardingobjectid"), ("team", "regardingobjectid")})
"""Lookups that may point to a row of any table."""

_PART_OF = Cascade(assign="Cascade", share="Cascade", unshare="Cascade", reparent="Cascade", delete="Cascade")
_GOES_WITH = Cascade(delete="Cascade")

CASCADES = {
    ("businessunit", "parentbusinessunitid"): Cascade(delete="Restrict"),
    ("invoicedetail", "invoiceid"): _PART_OF,
    ("opportunityproduct", "opportunityid"): _PART_OF,
    ("productpricelevel", "pricelevelid"): _GOES_WITH,
    ("productpricelevel", "productid"): _GOES_WITH,
    ("queueitem", "queueid"): _GOES_WITH,
    ("quotedetail", "quoteid"): _PART_OF,
    ("salesorderdetail", "salesorderid"): _PART_OF,
    ("uom", "uomscheduleid"): _GOES_WITH,
}
"""Cascades of rows that are parts of others, which no source of the facts told."""

PARTS = frozenset({("activityparty", "activityid")})
"""Lookups of rows that are nothing but parts of the row they point to and go with it, whatever the facts say."""

HIERARCHICAL = frozenset(
    {
        ("account", "parentaccountid"),
        ("systemuser", "parentsystemuserid"),
        ("businessunit", "parentbusinessunitid"),
        ("position", "parentpositionid"),
    }
)
"""Lookups to the own table whose chain is a hierarchy (WA-206, section 13 of the security model)."""

NOT_AUDITED = frozenset(
    {
        "activityparty",
        "audit",
        "bulkdeletefailure",
        "dependency",
        "principalobjectaccess",
        "sdkmessage",
        "sdkmessagefilter",
    }
)
"""Tables without an audit of their own: the log itself, parts of other rows, and what only the platform writes."""

SET_BY_CALLER = frozenset(
    {
        ("fieldpermission", "cancreate"),
        ("fieldpermission", "canread"),
        ("fieldpermission", "canupdate"),
        ("fieldpermission", "entityname"),
        ("principalobjectattributeaccess", "attributeid"),
        ("publisher", "customizationoptionvalueprefix"),
        ("savedquery", "returnedtypecode"),
        ("teamtemplate", "defaultaccessrightsmask"),
        ("teamtemplate", "objecttypecode"),
        ("transactioncurrency", "exchangerate"),
        ("userquery", "returnedtypecode"),
        ("webresource", "webresourcetype"),
    }
)
"""SystemRequired columns of the kinds that the platform usually fills by itself (numbers, choices, ids), which the
caller has to give all the same."""

SET_BY_PLATFORM = frozenset(
    {
        ("duplicaterule", "uniquename"),
        ("invoice", "invoicenumber"),
        ("knowledgearticle", "articlepublicnumber"),
        ("pluginassembly", "culture"),
        ("pluginassembly", "version"),
        ("quote", "quotenumber"),
        ("salesorder", "ordernumber"),
        ("sdkmessageprocessingstep", "eventhandler"),
        ("systemform", "formjson"),
        ("systemuser", "domainname"),
        ("systemuser", "internalemailaddress"),
    }
)
"""SystemRequired texts and lookups that a create may leave out (numbers given out, names of application users)."""

WRITABLE = frozenset({("systemuser", "azureactivedirectoryobjectid"), ("team", "azureactivedirectoryobjectid")})
"""Columns that a directory fills in the cloud and the administrator fills here."""

TEXTS = {
    ("organization", "allowediprangeforfirewall"): 4000,
    ("organization", "reverseproxyipaddresses"): 4000,
}
"""Lists in a text of at most so many characters, which the facts take for switches or for short texts (TS-308)."""

DEFAULTS = {
    ("fieldpermission", "cancreate"): 0,
    ("fieldpermission", "canread"): 0,
    ("fieldpermission", "canreadunmasked"): 0,
    ("fieldpermission", "canupdate"): 0,
    ("savedquery", "querytype"): 0,
    ("userquery", "querytype"): 0,
    ("organization", "weekstartdaycode"): 0,
    ("organization", "maxdepthforhierarchicalsecuritymodel"): 3,
}

OPTIONS: dict[tuple[str, str], tuple[tuple[int, str], ...]] = {
    ("organization", "weekstartdaycode"): (
        (0, "Sunday"),
        (1, "Monday"),
        (2, "Tuesday"),
        (3, "Wednesday"),
        (4, "Thursday"),
        (5, "Friday"),
        (6, "Saturday"),
    ),
    ("letter", "prioritycode"): ((0, "Low"), (1, "Normal"), (2, "High")),
    ("fax", "prioritycode"): ((0, "Low"), (1, "Normal"), (2, "High")),
}
"""Choices that the facts lack. Choices that share a global choice take its options."""

MORE_OPTIONS: dict[tuple[str, str], tuple[tuple[int, str], ...]] = {("audit", "action"): ((10001, "Access Refused"),)}
"""Options of our own beside those of the facts: an attempt that was refused (`audit.refusals`)."""

INDEXED: dict[str, tuple[str, ...]] = {
    "account": ("accountnumber", "address1_city", "createdon", "emailaddress1", "modifiedon", "name", "telephone1"),
    "appointment": ("createdon", "scheduledstart", "subject"),
    "asyncoperation": ("statecode",),
    "contact": ("createdon", "emailaddress1", "firstname", "fullname", "lastname", "modifiedon"),
    "email": ("createdon", "subject"),
    "incident": ("createdon", "modifiedon", "ticketnumber", "title"),
    "lead": ("createdon", "emailaddress1", "fullname", "modifiedon"),
    "opportunity": ("createdon", "estimatedclosedate", "modifiedon", "name"),
    "phonecall": ("createdon", "subject"),
    "systemuser": ("azureactivedirectoryobjectid", "domainname", "fullname", "internalemailaddress"),
    "task": ("createdon", "scheduledend", "subject"),
    "team": ("name",),
    "role": ("name",),
    "businessunit": ("name",),
    "privilege": ("name",),
    "product": ("name", "productnumber"),
    "audit": ("createdon", "objectid"),
    "fieldpermission": ("entityname",),
    "principalobjectattributeaccess": ("objectid", "principalid"),
    "msdyn_componentlayer": ("msdyn_componentid",),
    "sdkmessage": ("name",),
    "sdkmessagefilter": ("primaryobjecttypecode",),
    "solutioncomponent": ("objectid",),
}
"""Columns that default views sort or search by. Few: every index costs each insert."""
