"""Time and peak memory of `abroad lotus prepare` on a synthetic table shaped like the public one.

    python benchmarks/lotus_prepare.py [--rows 1000000]

The table has the 34 columns of LOTUS's frozen metadata with text of like length
(SMILES, InChI, taxonomy), gzip-compressed, in a temporary directory. The
command runs in a process of its own, so that the figures hold what a user pays.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from abroad.core.helpers import helper
from abroad.sources.lotus import COLUMNS

_STRUCTURE = (
    "structure_wikidata", "structure_inchikey", "structure_inchi", "structure_smiles", "structure_molecular_formula",
    "structure_exact_mass", "structure_xlogp", "structure_smiles_2D", "structure_cid", "structure_nameIupac",
    "structure_nameTraditional", "structure_stereocenters_total", "structure_stereocenters_unspecified",
    "structure_taxonomy_npclassifier_01pathway", "structure_taxonomy_npclassifier_02superclass",
    "structure_taxonomy_npclassifier_03class", "structure_taxonomy_classyfire_chemontid",
    "structure_taxonomy_classyfire_01kingdom", "structure_taxonomy_classyfire_02superclass",
)  # fmt: skip
_ORGANISM = (
    "organism_wikidata", "organism_name", "organism_taxonomy_gbifid", "organism_taxonomy_ncbiid",
    "organism_taxonomy_ottid", "organism_taxonomy_01domain", "organism_taxonomy_02kingdom",
    "organism_taxonomy_03phylum", "organism_taxonomy_04class", "organism_taxonomy_05order",
    "organism_taxonomy_06family", "organism_taxonomy_08genus",
)  # fmt: skip
_REFERENCE = ("reference_wikidata", "reference_doi", "manual_validation")
HEADER = (*_STRUCTURE, *_ORGANISM, *_REFERENCE)


def write_inputs(directory: Path, rows: int, seed: int = 7) -> tuple[Path, Path]:
    """About 5.5 rows a reference, 9% of rows repeated, four fifths of the DOIs with one PMID."""
    rng = random.Random(seed)
    structures = [_structure(rng, number) for number in range(max(10, rows * 3 // 20))]
    organisms = [_organism(rng, number) for number in range(max(10, rows // 25))]
    metadata, doi2pmid = directory / "frozen_metadata.csv.gz", directory / "doi2pmid.tsv"
    written = reference = 0
    with (
        gzip.open(metadata, "wt", encoding="utf-8", newline="", compresslevel=6) as table,
        doi2pmid.open("w", encoding="utf-8") as pmids,
    ):
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(HEADER)
        pmids.write("reference_doi\treference_pubmed_id\n")
        while written < rows:
            reference += 1
            doi = f"10.{1000 + reference % 900}/J.{rng.getrandbits(40):010X}.{reference}"
            for _ in range(rng.choice((0, 1, 1, 1, 1, 1, 1, 1, 1, 2))):
                pmids.write(f"{doi}\t{10_000_000 + rng.getrandbits(24)}\n")
            organism = rng.choice(organisms)
            for _ in range(min(rows - written, max(1, int(rng.expovariate(1 / 5))))):
                row = (*rng.choice(structures), *organism, f"http://www.wikidata.org/entity/Q{reference}", doi, "")
                writer.writerow(row)
                written += 1
                if written < rows and rng.random() < 0.1:
                    writer.writerow(row)
                    written += 1
    return metadata, doi2pmid


def _text(rng: random.Random, alphabet: str, low: int, high: int) -> str:
    return "".join(rng.choices(alphabet, k=rng.randint(low, high)))


def _structure(rng: random.Random, number: int) -> tuple[str, ...]:
    smiles = _text(rng, "CCCCOOcc12()=[@H]N", 40, 120)
    name = "" if rng.random() < 0.03 else _text(rng, "abcdeilnorst-(),'", 6, 70)
    return (
        f"http://www.wikidata.org/entity/Q{number}", _text(rng, "ABCDEFGHIJKLMNOPQRSTUVWXYZ", 27, 27),
        f"InChI=1S/{_text(rng, 'CHO0123456789-,/()', 60, 160)}", smiles, "C30H48O3", "456.360345", "7.1", smiles,
        str(number), _text(rng, "abcdeilnorst-(),0123456789", 30, 110), name, "9", "0", "Terpenoids", "Triterpenoids",
        "Ursane and Taraxastane triterpenoids", "0001553", "Organic compounds", "Lipids and lipid-like molecules",
    )  # fmt: skip


def _organism(rng: random.Random, number: int) -> tuple[str, ...]:
    name = f"{_text(rng, 'abcdeilnorst', 5, 12).capitalize()} {_text(rng, 'abcdeilnorst', 5, 14)}"
    return (
        f"http://www.wikidata.org/entity/Q{9_000_000 + number}", name, str(number), str(number), str(number),
        "Eukaryota", rng.choice(("Archaeplastida", "Fungi", "Metazoa", "")), "Streptophyta", "Magnoliopsida",
        "Lamiales", "Lamiaceae", name.split()[0],
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    assert set(COLUMNS) <= set(HEADER)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        metadata, doi2pmid = write_inputs(directory, rows)
        out = directory / "relations.tsv"
        command = [sys.executable, "-c", "from abroad.cli import main; main()", "lotus", "prepare", str(metadata)]
        start = time.monotonic()
        subprocess.run([*command, "--doi2pmid", str(doi2pmid), "--out", str(out)], check=True)
        seconds = time.monotonic() - start
        record = json.loads(helper(out, "run.json").read_text())
        with gzip.open(metadata) as stream:
            plain = sum(len(block) for block in iter(lambda: stream.read(1 << 20), b""))
        print("| rows | compressed | plain | seconds (whole command) | peak memory |")
        print("| ---: | ---: | ---: | ---: | ---: |")
        print(
            f"| {rows:,} | {metadata.stat().st_size / 1e6:.0f} MB | {plain / 1e6:.0f} MB "
            f"| {seconds:.1f} | {record['peak_memory_mb']:.0f} MiB |"
        )


if __name__ == "__main__":
    main()
