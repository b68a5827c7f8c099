"""Rounds of curation: extract, show a batch to curators, learn from their decisions, show the next."""
