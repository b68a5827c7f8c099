"""abroad: turn the literature of an under-explored biomedical field into a database.

The library's face. Importing it loads nothing else: each name is imported when it is first used (PEP 562).

    import abroad

    relations = abroad.extract("Usnic acid was isolated from Usnea barbata.")
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from abroad.api import evaluate, expand, extract, load_extractor, predictions_frame, read_documents
    from abroad.core.errors import AbroadError, InputError
    from abroad.core.schema import Document, Prediction, Relation

    __version__: str

__all__ = [
    "AbroadError",
    "Document",
    "InputError",
    "Prediction",
    "Relation",
    "evaluate",
    "expand",
    "extract",
    "load_extractor",
    "predictions_frame",
    "read_documents",
]

_MODULES = {
    "AbroadError": "abroad.core.errors",
    "Document": "abroad.core.schema",
    "InputError": "abroad.core.errors",
    "Prediction": "abroad.core.schema",
    "Relation": "abroad.core.schema",
    "evaluate": "abroad.api",
    "expand": "abroad.api",
    "extract": "abroad.api",
    "load_extractor": "abroad.api",
    "predictions_frame": "abroad.api",
    "read_documents": "abroad.api",
}
"""Public name -> the module that it is imported from."""


if not TYPE_CHECKING:  # a checker that sees it takes every name for one of ours

    def __getattr__(name: str) -> Any:
        if name == "__version__":
            value: Any = import_module("abroad.core.version").version()
        elif name in _MODULES:
            value = getattr(import_module(_MODULES[name]), name)
        else:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
