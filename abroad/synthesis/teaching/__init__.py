"""A strong model labels documents that nobody has labelled, in passes whose agreement says what to believe."""
