"""Pairs that each protocol holds to be equal to `GOLD`, and pairs that it does not."""

from abroad.core.schema import Document, Entity, Relation

GOLD = Document("1", "T", "A").with_products(
    [Entity("Q1", "Usnea barbata")],
    [Entity("Q2", "usnic acid", {"pubchem_id": "5646"})],
    [("Q1", "Q2")],
)
SAME = [Relation("Usnea barbata", "usnic acid", head_id="wikidata:Q1", tail_id="wikidata:Q2")]
"""What every protocol holds to be equal."""
OTHER = [Relation("Usnea barbata", "atranorin", head_id="wikidata:Q1", tail_id="wikidata:Q3")]
"""What none does."""

MEMBERS: dict[str, tuple[list[Relation], list[Relation]]] = {
    "upstream": (
        [Relation("the USNEA barbata.", "Usnic  acid")],
        [Relation("U. barbata", "usnic acid"), Relation("Usnea barbata", "(+)-usnic acid")],
    ),
    "strict": (
        [Relation("USNEA barbata", " usnic  acid")],
        [Relation("the Usnea barbata", "usnic acid"), Relation("Usnea barbata.", "usnic acid")],
    ),
    "grounded": (
        [Relation("U. barbata", "(+)-usnic acid", head_id="Q1", tail_id="PubChem:5646")],
        [Relation("Usnea barbata", "usnic acid"), Relation("Usnea barbata", "usnic acid", head_id="Q1")],
    ),
}
"""Name -> (further pairs that are equal, pairs that are not)."""
