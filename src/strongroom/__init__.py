"""Strongroom: an open, self-hostable, trusted business-data platform that speaks the Dataverse Web API."""

__version__ = "0.1.0"
