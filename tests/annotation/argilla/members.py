"""In which order each order of curation puts the documents of `test_order`, alone and by a sample made before."""

MEMBERS: dict[str, tuple[str, str]] = {
    "given": ("abcd", "abcd"),
    "gme": ("bcad", "dabc"),  # the evenest first, then what it lacks; without relations last
    "uncertainty": ("bcad", "bcad"),
    "gme-uncertainty": ("bcad", "bcad"),
}
"""Order -> (by the relations, by the sample d, a)."""
