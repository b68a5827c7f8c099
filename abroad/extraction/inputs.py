"""Whatever holds texts -> documents: a file, a folder, a pipe, a text, PMIDs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from abroad.documents import attach
from abroad.errors import InputError
from abroad.io import Rejects, read_documents, require_file
from abroad.schema import Document
from abroad.sources.pubmed import Article, read_xml
from abroad.sources.references import Reference
from abroad.text.normalise import normalise

if TYPE_CHECKING:
    from abroad.sources.eutils import EutilsClient

_KINDS = (".json", ".jsonl", ".txt", ".xml", ".xml.gz", ".spacy")
_WHAT = f"documents ({', '.join(_KINDS)})"


def read_path(path: Path, rejects: Rejects) -> list[Document]:
    """The documents of a file, or of every such file in a folder (sorted by name); a repeated id keeps its first.

    A .txt file is one document: a first line that an empty line follows is its title.

    Raises:
        InputError: nothing usable there, with what was expected.
    """
    if not path.is_dir():
        return _read_file(path, rejects)
    found: dict[str, Document] = {}
    files = sorted(file for file in path.iterdir() if file.name.lower().endswith(_KINDS))
    if not files:
        raise InputError(f"{path}: no {_WHAT} in this folder")
    for file in files:
        try:
            documents = _read_file(file, rejects)
        except InputError as error:
            rejects.add(str(file), str(error))
            continue
        for document in documents:
            if document.id in found:
                rejects.add(f"{file}: {document.id}", "the id stands in an earlier file too")
            found.setdefault(document.id, document)
    if not found:
        raise InputError(f"{path}: none of {len(files)} files gave a document{_first(rejects)}")
    return list(found.values())


def _read_file(path: Path, rejects: Rejects) -> list[Document]:
    name = path.name.lower()
    if name.endswith((".xml", ".xml.gz")):
        articles = {r.pmid: r for r in read_xml([path], rejects) if isinstance(r, Article)}
        return list(_of_articles(articles.values(), rejects))
    if name.endswith(".txt"):
        require_file(path, _WHAT)
        try:
            text = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            raise InputError(f"{path}: not UTF-8 at byte {error.start}; expected UTF-8 text") from None
        return [text_document(path.stem, text)]
    if name.endswith(".spacy"):
        from abroad.extraction.builtin.spacy_pipeline.docbin import read_docbin

        return read_docbin(path, rejects)
    return read_documents(path, rejects)


def read_pipe(stream: TextIO, rejects: Rejects) -> list[Document]:
    """Standard input: JSONL of documents, a JSON object of them, or else one plain text.

    Raises:
        InputError: nothing there.
    """
    text = stream.read().lstrip("\ufeff")
    if not text.strip():
        raise InputError("standard input is empty; expected documents (JSONL) or a text")
    if text.lstrip()[0] != "{":
        return [text_document("stdin", text)]
    try:
        whole = json.loads(text)
    except json.JSONDecodeError:
        return _json_lines(text, rejects)
    if "AbstractText" in whole or "ArticleTitle" in whole:
        return [Document.from_dict(whole)]
    found = []
    for key, record in whole.items():
        try:
            found.append(Document.from_dict(record, key))
        except InputError as error:
            rejects.add(f"standard input: {key}", str(error))
    return _some(found, rejects)


def _json_lines(text: str, rejects: Rejects) -> list[Document]:
    found: dict[str, Document] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            document = Document.from_dict(json.loads(line))
        except json.JSONDecodeError as error:
            rejects.add(f"standard input:{number}", f"broken JSON ({error.msg}, column {error.colno})")
        except InputError as error:
            rejects.add(f"standard input:{number}", str(error))
        else:
            if document.id in found:
                rejects.add(f"standard input:{number}", f"the id {document.id} stands twice")
            found.setdefault(document.id, document)
    return _some(list(found.values()), rejects)


def fetch_pmids(pmids: Sequence[str], client: EutilsClient, rejects: Rejects) -> list[Document]:
    """Titles and abstracts from NCBI.

    Raises:
        InputError: a PMID is not a number, or none of them has a title or an abstract.
        AbroadError: NCBI does not answer.
    """
    for pmid in pmids:
        if not (pmid.isascii() and pmid.isdigit()):
            raise InputError(f"expected a PMID (digits), found {pmid[:40]!r}")
    articles: list[Article] = []
    for answer in client.fetch(list(dict.fromkeys(pmids)), rejects):
        for pmid, article in answer.items():
            if article is None:
                rejects.add(f"PMID {pmid}", "not found")
            else:
                articles.append(article)
    return _some(list(_of_articles(articles, rejects)), rejects)


def text_document(id: str, text: str) -> Document:
    """A plain text as a document; markup that it holds is dropped.

    Raises:
        InputError: the text is empty.
    """
    title, blank, rest = text.strip().partition("\n\n")
    if not blank or "\n" in title or len(title) > 500:
        title, rest = "", text
    title, rest = normalise(title).text.strip(), normalise(rest).text.strip()
    if not title and not rest:
        raise InputError(f"{id}: the text is empty")
    return Document(id, title, rest)


def _of_articles(articles: Iterable[Article], rejects: Rejects) -> Iterator[Document]:
    for article in articles:
        if article.has_text:
            yield attach(article, Reference(article.pmid), None)
        else:
            rejects.add(f"PMID {article.pmid}", "no abstract and no title")


def _some(documents: list[Document], rejects: Rejects) -> list[Document]:
    if not documents:
        raise InputError(f"no document to read{_first(rejects)}")
    return documents


def _first(rejects: Rejects) -> str:
    return f" (first: {rejects.items[0]['where']}: {rejects.items[0]['reason']})" if rejects else ""
