"""Curation on an Argilla server: records pushed, answers pulled, conflicts settled."""
