"""abroad: turn the literature of an under-explored biomedical field into a database.

Importing this package loads nothing heavy (no torch, vllm or spacy): each
stage imports what it needs when it runs.
"""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("abroad")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0+unknown"
