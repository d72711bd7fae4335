"""Seeing and shaping security: units, people, roles, column security, and why."""
