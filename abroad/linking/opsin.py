"""Systematic names of chemicals -> InChIKeys, with OPSIN where Java and py2opsin are there.

OPSIN: Lowe et al., J. Chem. Inf. Model. 2011, 51, 739. py2opsin brings the jar and runs
one JVM for all names.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
import warnings
from collections.abc import Sequence

_SYSTEMATIC = re.compile(r"\d[,-]|-\d|yl\b|hydroxy|methyl|\boic acid|oate\b|one\b|ene\b|ane\b|ol\b", re.IGNORECASE)
_LONGEST = 500
_INCHIKEY = re.compile(r"[A-Z]{14}-[A-Z]{10}-[A-Z]")


def available() -> bool:
    """Whether OPSIN can be run here."""
    return shutil.which("java") is not None and importlib.util.find_spec("py2opsin") is not None


def inchikeys(names: Sequence[str]) -> dict[str, str]:
    """Name -> InChIKey, of the names that OPSIN reads; {} where it is not installed."""
    asked = [name for name in names if _SYSTEMATIC.search(name) and len(name) <= _LONGEST and name.isprintable()]
    if not asked or not available():
        return {}
    from py2opsin import py2opsin

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one for each name it cannot read, which is most
        answers = py2opsin(chemical_name=asked, output_format="StdInChIKey")
    if not isinstance(answers, list) or len(answers) != len(asked):
        return {}
    return {name: key for name, key in zip(asked, answers, strict=True) if key and _INCHIKEY.fullmatch(key)}
