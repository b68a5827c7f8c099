"""Joint extraction: mentions, identifiers and relations, all learnt from annotated documents of any field."""
