"""Formats of bibliographies and tables -> records with our names of fields; a module each, none knows of files."""
