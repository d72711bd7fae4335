"""Strongroom: an open, self-hostable, trusted business-data platform that speaks the Dataverse Web API."""
