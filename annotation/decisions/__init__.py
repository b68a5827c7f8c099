"""What curators decided: read, merged into documents, compared."""
