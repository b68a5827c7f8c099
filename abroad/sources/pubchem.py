"""Synonyms of chemicals from PubChem: PUG REST, or a file of its Identifier Exchange Service.

PUG REST: https://pubchem.ncbi.nlm.nih.gov/docs/pug-rest (5 requests a second at most);
Identifier Exchange: https://pubchem.ncbi.nlm.nih.gov/idexchange/.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.http import HttpSettings, JsonClient, int_of
from abroad.core.io import atomic_write, require_file
from abroad.core.jsonl import split_lines
from abroad.sources.kept import KeptAnswers
from abroad.sources.tables import read_rows

BASE_URL = "https://pubchem.ncbi.nlm.nih.gov/rest/pug"
RATE = 5.0
BATCH = 50  # InChIKeys a request
_INCHIKEY = re.compile(r"[A-Z]{14}-[A-Z]{10}-[A-Z]")
# Registry numbers and catalogue codes are no names that an abstract would use.
_CODE = re.compile(
    r"\d{2,7}-\d\d-\d|(?:CHEBI|CHEMBL|SCHEMBL|DTXSID|DTXCID|ZINC|AKOS|MFCD|NSC|UNII|HMS|BDBM|CAS|EINECS|EC|Q|HY|CS|BRD|"
    r"AC|AS|DB|FT|LMPK|LMFA|NCGC|SMR|MLS|STK|STL|CCG|SR|GTPL|RefChem)[-: ]?\s?\d[\w.-]*|[A-Z]{14}-[A-Z]{10}-[A-Z]|"
    r"(?-i:(?=[A-Z0-9]*\d)[A-Z0-9]{10})|InChI=.*|[\d\W]+",  # the last but two: UNII, in capitals and with a digit
    re.IGNORECASE,
)
_LONGEST = 120


def is_name(synonym: str) -> bool:
    """Whether a synonym is a name, and not a registry number or a catalogue code."""
    return 2 < len(synonym) <= _LONGEST and _CODE.fullmatch(synonym.strip()) is None


def read_inchikeys(path: Path, context: Context) -> list[str]:
    """InChIKeys of a table with a column structure_inchikey or inchikey (csv or tsv, .gz too), or one a line.

    Raises:
        InputError: no file, or none in it.
    """
    path = require_file(path, "a table with a column structure_inchikey, or InChIKeys, one a line")
    if path.suffix == ".txt":
        found = [(f"{path}:{n}", line.strip()) for n, line in enumerate(split_lines(path.read_text("utf-8-sig")), 1)]
    else:
        separator = "\t" if ".tsv" in path.suffixes else ","
        what = "a table with a column structure_inchikey"
        rows = read_rows(path, ("structure_inchikey",), separator, what, context)
        found = [(f"{path}:{line}", row[0]) for line, row in rows]
    keys: dict[str, None] = {}
    for where, key in found:
        if _INCHIKEY.fullmatch(key):
            keys[key] = None
        elif key:
            context.rejects.add(where, f"{key[:40]!r} is no InChIKey")
    if not keys:
        raise InputError(f"{path}: no InChIKey in it")
    return list(keys)


def fetch_synonyms(
    inchikeys: Sequence[str],
    kept: KeptAnswers,
    settings: HttpSettings | None = None,
    context: Context | None = None,
) -> dict[str, list[str]]:
    """InChIKey -> names, asking PubChem for those that are not kept from earlier runs.

    Raises:
        AbroadError: PubChem does not answer; what came is kept.
    """
    settings, context = settings or HttpSettings(base_url=BASE_URL, rate=RATE), context or Context()
    found = kept.get(inchikeys)
    todo = [key for key in dict.fromkeys(inchikeys) if key not in found]
    with (
        JsonClient("PubChem", settings, context) as client,
        context.progress("PubChem synonyms", len(found) + len(todo), done=len(found)) as progress,
    ):
        for start in range(0, len(todo), BATCH):
            batch = todo[start : start + BATCH]
            named = _ask(client, batch)
            answer = {key: named.get(key, []) for key in batch}
            kept.put(answer)
            found |= answer
            progress.advance(len(batch))
    return {key: [name for name in found[key] if is_name(name)] for key in dict.fromkeys(inchikeys)}


def _ask(client: JsonClient, batch: Sequence[str]) -> dict[str, list[str]]:
    """Synonyms by InChIKey: the compounds of the keys first, then the synonyms of the compounds."""
    found = client.ask("compound/inchikey/property/InChIKey/JSON", _properties, form={"inchikey": ",".join(batch)})
    keys = {int_of(row.get("CID")): str(row["InChIKey"]) for row in found if "InChIKey" in row}
    keys.pop(None, None)
    if not keys:
        return {}
    found = client.ask("compound/cid/synonyms/JSON", _information, form={"cid": ",".join(map(str, keys))})
    result: dict[str, list[str]] = {}
    for entry in found:
        names = entry.get("Synonym")
        key = keys.get(int_of(entry.get("CID")))
        if key and isinstance(names, list):
            result.setdefault(key, []).extend(map(str, names))
    return result


def _properties(status: int, answer: Any) -> list[dict[str, Any]]:
    return _entries(status, answer, "PropertyTable", "Properties")


def _information(status: int, answer: Any) -> list[dict[str, Any]]:
    return _entries(status, answer, "InformationList", "Information")


def _entries(status: int, answer: Any, outer: str, inner: str) -> list[dict[str, Any]]:
    """What PUG REST answers; nothing where it says, in its own words, that it has no such compound."""
    if status == 404 and answer["Fault"]["Code"] == "PUGREST.NotFound":
        return []
    return [dict(entry) for entry in answer[outer][inner]]


def read_exchange(path: Path, context: Context) -> dict[str, list[str]]:
    """InChIKey -> names from a file of the Identifier Exchange Service (InChIKeys in, synonyms out; two columns).

    Raises:
        InputError: no file, or no InChIKey with a synonym in it.
    """
    path = require_file(path, "a file of PubChem's Identifier Exchange: InChIKey, tab, synonym")
    result: dict[str, list[str]] = {}
    with path.open(encoding="utf-8", errors="replace") as stream:
        for number, line in enumerate(stream, 1):
            key, _, synonym = line.rstrip("\r\n").partition("\t")
            if not _INCHIKEY.fullmatch(key.strip()):
                if line.strip():
                    context.rejects.add(f"{path}:{number}", "expected an InChIKey, a tab and a synonym")
            elif synonym.strip() and is_name(synonym):
                result.setdefault(key.strip(), []).append(synonym.strip())
    if not result:
        raise InputError(f"{path}: no InChIKey with a synonym in it; expected InChIKeys in, synonyms out")
    return result


def write_names(out: Path, synonyms: dict[str, list[str]], most: int) -> int:
    """Write the table that `abroad lotus prepare --synonyms` reads; the number of names."""
    count = 0
    with atomic_write(out) as stream:
        stream.write("name\tinchikey\n")
        for name, key in _rows(synonyms.items(), most):
            stream.write(f"{name}\t{key}\n")
            count += 1
    return count


def _rows(synonyms: Iterable[tuple[str, list[str]]], most: int) -> Iterator[tuple[str, str]]:
    for key, names in synonyms:
        for name in list(dict.fromkeys(" ".join(name.split()) for name in names))[:most]:
            yield name, key
