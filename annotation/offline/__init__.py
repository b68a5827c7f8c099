"""Curation without a server, in one HTML file."""
