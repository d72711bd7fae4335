"""Documented functions and actions of Dataverse that Strongroom does not have: they answer 501 by name (WA-59)."""

_NAMES = """
    AddChannelAccessProfilePrivileges AddPrincipalToQueue AddRecurrence AddSolutionComponent AddToQueue
    AddUserToRecordTeam ApplyRecordCreationAndUpdateRule ApplyRoutingRule Assign AssociateEntities AutoMapEntity
    Book BulkDetectDuplicates CalculateActualValue CalculatePrice CalculateRollupField CanBeReferenced
    CanBeReferencing CanManyToMany CheckIncoming CheckPromote CloneAsPatch CloneAsSolution CloneContract
    CloneProduct CloseIncident CloseQuote CommitFileBlocksUpload CompoundUpdate ConvertOwnerTeamToAccessTeam
    ConvertProductToKit ConvertQuoteToSalesOrder ConvertSalesOrderToInvoice CopySystemForm
    DeleteAndPromote DeleteOptionSet
    DisassociateEntities DownloadBlock ExecuteWorkflow ExportFieldTranslation ExportSolution
    ExportTranslation FetchXmlToQueryExpression FulfillSalesOrder GenerateInvoiceFromOpportunity
    GenerateQuoteFromOpportunity GetAutoNumberSeed GetDefaultPriceLevel GetTimeZoneCodeByLocalizedName
    GetValidManyToMany GetValidReferencedEntities GetValidReferencingEntities ImportSolution ImportSolutionAsync
    InitializeAttachmentBlocksUpload InitializeFileBlocksDownload InitializeFileBlocksUpload
    InsertStatusValue IsValidStateTransition LockInvoicePricing LoseOpportunity Merge
    PropagateByExpression QualifyLead QueryExpressionToFetchXml Recalculate RemoveFromQueue
    RemoveSolutionComponent RemoveUserFromRecordTeam ResetInheritedAccess RetrieveAadUserPrivileges
    RetrieveAadUserRoles RetrieveAbsoluteAndSiteCollectionUrl RetrieveDependenciesForDelete
    RetrieveDependentComponents RetrieveDuplicates RetrieveEntityChanges RetrieveUserQueues
    RetrieveUserSetOfPrivilegesByIds RetrieveUserSetOfPrivilegesByNames Rollup SendEmail SendEmailFromTemplate
    SetBusinessSystemUser SetParentSystemUser SetState StageSolution TriggerServiceEndpointCheck
    UnlockInvoicePricing UpdateOptionSet UpdateStateValue UploadBlock ValidateRecurrenceRule
    WinOpportunity WinQuote
"""

NOT_OFFERED: frozenset[str] = frozenset(_NAMES.split())
