"""Identifiers of what was extracted, whether it is known, and statements for Wikidata."""
