"""Where the data come from: the LOTUS table, PubMed, and verified downloads of public files."""
