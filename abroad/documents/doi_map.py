"""PMIDs of the DOIs in LOTUS, as the map that `lotus prepare` reads: from NCBI, or from a dump of Wikidata.

LOTUS names its references by DOI and by Wikidata item. Wikidata has the PMID of an item as P698:
https://www.wikidata.org/wiki/Property:P698; dumps: https://dumps.wikimedia.org/wikidatawiki/entities/.
"""

from __future__ import annotations

import bz2
import gzip
import re
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

from abroad.core.context import Context
from abroad.core.errors import AbroadError, InputError
from abroad.core.io import atomic_write, require_file
from abroad.documents.lookup import Lookup
from abroad.sources.eutils import EutilsClient
from abroad.sources.lotus import PMID, references

_TRIPLE = re.compile(
    rb"<https?://www\.wikidata\.org/entity/(Q\d+)> <https?://www\.wikidata\.org/prop/direct/P698> \"(\d+)\" \."
)
_OPENERS: dict[str, Callable[[Path, str], Any]] = {".gz": gzip.open, ".bz2": bz2.open}
_EVERY = 1_000_000  # lines


def map_from_eutils(metadata: Path, out: Path, client: EutilsClient, context: Context) -> int:
    """Ask NCBI for the PMIDs of a LOTUS table's DOIs, and write the map; a run that stopped goes on.

    Returns:
        How many DOIs have a PMID.

    Raises:
        AbroadError: NCBI does not answer; what it did answer is kept for the next run.
    """
    dois = sorted({doi for doi, _ in references(metadata)})
    lookup = Lookup(client, context)
    with context.progress("PMIDs of DOIs", len(dois)) as progress:
        found = lookup.fetch_dois(dois, progress.advance)
    if lookup.failure is not None:
        raise lookup.failure
    return _write(out, ((doi, found[doi].pmid) for doi in dois if doi in found))


def map_from_wikidata(metadata: Path, dump: Path, out: Path, context: Context) -> int:
    """Read the PMIDs of a LOTUS table's references from a dump of Wikidata, and write the map.

    Args:
        dump: N-Triples, such as latest-truthy.nt.gz or .bz2, or an extract of its lines with P698.

    Returns:
        How many DOIs have a PMID.

    Raises:
        InputError: no such file, a damaged one, or no PMID of any of the references in it.
    """
    items: dict[str, set[str]] = {}
    for doi, item in references(metadata):
        items.setdefault(item, set()).add(doi)
    with context.progress("million lines of the dump", None) as progress:
        found = [(doi, pmid) for item, pmid in _pmids(dump, items, progress.advance) for doi in sorted(items[item])]
    if not found:
        raise InputError(f"{dump}: no PMID (P698) of the {len(items):,} references; expected N-Triples of Wikidata")
    return _write(out, found)


def _pmids(dump: Path, items: Collection[str], advance: Callable[[], object]) -> Iterator[tuple[str, str]]:
    """Yield the PMIDs of those items that the dump has, as (item, PMID)."""
    dump = require_file(dump, "a dump of Wikidata as N-Triples (.nt, .nt.gz, .nt.bz2)")
    try:
        with _OPENERS.get(dump.suffix, open)(dump, "rb") as lines:
            for number, line in enumerate(lines, 1):
                if number % _EVERY == 0:
                    advance()
                if b"/P698>" in line and (match := _TRIPLE.match(line)) and (item := match[1].decode()) in items:
                    yield item, match[2].decode()
    except (EOFError, OSError, zlib.error) as error:
        raise InputError(f"{dump}: damaged or cut off ({error}); fetch it again") from None


def _write(out: Path, rows: Iterable[tuple[str, str]]) -> int:
    dois = set()
    with atomic_write(out) as stream:
        stream.write(f"reference_doi\t{PMID}\n")
        for doi, pmid in rows:
            stream.write(f"{doi}\t{pmid}\n")
            dois.add(doi)
    if not dois:
        raise AbroadError("none of the DOIs has a PMID there")
    return len(dois)
