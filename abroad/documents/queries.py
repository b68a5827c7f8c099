"""The searches for papers on natural products that `abroad documents search` makes where it is given no query.

A paper is wanted that says which organism makes which compound. So: words of natural products or names of their
classes, and a word that says that something was isolated, identified or made; or any paper of the journals of the
field. Broad rather than narrow, since the extractor leaves out what states no production.
"""

from __future__ import annotations

from collections.abc import Sequence

_SUBSTANCES = (
    *(
        "natural product",
        "natural products",
        "secondary metabolite",
        "secondary metabolites",
        "specialized metabolites",
    ),
    *("phytochemicals", "phytochemical investigation", "chemical constituents", "bioactive compounds", "new compounds"),
    *("new compound", "undescribed", "new alkaloids", "alkaloid", "alkaloids", "terpenoid", "terpenoids"),
    *("sesquiterpene", "sesquiterpenoids", "diterpene", "diterpenoid", "diterpenoids", "triterpenoid", "triterpenoids"),
    *(
        "saponin",
        "saponins",
        "flavonoid",
        "flavonoids",
        "lignan",
        "lignans",
        "coumarins",
        "xanthones",
        "anthraquinones",
    ),
    *(
        "polyketide",
        "polyketides",
        "cyclopeptides",
        "cyclic peptides",
        "lipopeptide",
        "meroterpenoid",
        "meroterpenoids",
    ),
    *("macrolide", "macrolides", "mycotoxin", "essential oil", "antibiotic"),
)
_STATEMENTS = (
    *("isolated", "isolation", "structure elucidation", "structures were elucidated", "were elucidated"),
    *("produced by", "biosynthesis", "chemical composition"),
)
_JOURNALS = (
    *("J Nat Prod", "Phytochemistry", "Nat Prod Res", "J Antibiot (Tokyo)", "Mar Drugs", "Fitoterapia"),
    *("J Asian Nat Prod Res", "Chem Biodivers", "Nat Prod Bioprospect", "Planta Med"),
)
_JOURNALS_IN_FULL = (
    *("Journal of natural products", "Phytochemistry", "Natural product research", "The Journal of antibiotics"),
    *("Marine drugs", "Fitoterapia", "Journal of Asian natural products research", "Chemistry & biodiversity"),
    *("Natural products and bioprospecting", "Planta medica"),
)


def _query(field: str, journal: str, journals: Sequence[str]) -> str:
    """A search in a server's own words for a field of a paper and for its journal."""

    def either(words: Sequence[str], form: str) -> str:
        return f"({' OR '.join(form.format(word) for word in words)})"

    papers = f"({either(_SUBSTANCES, field)} AND {either(_STATEMENTS, field)})"
    return f"{papers} OR {either(journals, journal)}"


NATURAL_PRODUCTS = {
    "pubmed": _query('"{}"[tiab]', '"{}"[ta]', _JOURNALS),
    "europepmc": _query('TITLE_ABS:"{}"', 'JOURNAL:"{}"', _JOURNALS_IN_FULL),
}
"""Source -> the query, in its own language."""
