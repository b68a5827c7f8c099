"""Items that each selector picks first, of a table where they differ."""

ROWS = {
    "reference_doi": ["a", "a", "a", "b", "b", "c", "d", "d"],
    "organism_wikidata": ["o1", "o1", "o1", "o2", "o3", "o4", "o1", "o2"],
    "structure_wikidata": ["s1", "s2", "s3", "s4", "s4", "s1", "s4", "s5"],
}

MEMBERS: dict[str, list[str]] = {
    "gme": ["d", "c"],  # two of each, then a new one of each: even so far
    "gme-sum": ["d", "c"],
    "random": [],  # any
    "topn-rel": ["a", "b"],
    "topn-struct": ["a", "d"],
    "topn-org": ["b", "d"],
    "topn-sum": ["a", "d"],
}
