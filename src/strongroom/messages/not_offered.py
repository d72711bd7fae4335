"""Documented functions and actions of Dataverse that Strongroom does not have: they answer 501 by name (WA-59)."""

_NAMES = """
    AddChannelAccessProfilePrivileges AddPrincipalToQueue AddRecurrence AddToQueue
    ApplyRecordCreationAndUpdateRule ApplyRoutingRule Assign AssociateEntities AutoMapEntity Book
    CalculateActualValue CalculatePrice
    CheckIncoming CheckPromote CloneContract CloneProduct CloseIncident
    CloseQuote CompoundUpdate ConvertProductToKit ConvertQuoteToSalesOrder
    ConvertSalesOrderToInvoice CopySystemForm DeleteOptionSet DisassociateEntities
    ExecuteWorkflow ExportFieldTranslation ExportTranslation FetchXmlToQueryExpression
    FulfillSalesOrder GenerateInvoiceFromOpportunity GenerateQuoteFromOpportunity GetAutoNumberSeed
    GetDefaultPriceLevel GetTimeZoneCodeByLocalizedName
    InitializeAttachmentBlocksUpload
    InsertStatusValue LockInvoicePricing LoseOpportunity
    PropagateByExpression QualifyLead QueryExpressionToFetchXml Recalculate RemoveFromQueue
    RetrieveAbsoluteAndSiteCollectionUrl
    RetrieveUserQueues Rollup SendEmail SendEmailFromTemplate SetState
    TriggerServiceEndpointCheck UnlockInvoicePricing UpdateOptionSet UpdateStateValue
    ValidateRecurrenceRule WinOpportunity WinQuote
"""

NOT_OFFERED: frozenset[str] = frozenset(_NAMES.split())
