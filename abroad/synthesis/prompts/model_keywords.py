"""Keywords that the language model writes: each abstract is shown to it at several temperatures (Delmas et al. 2024).

The keywords of most answers come first. None gives away a relation: those that hold a word of the document's own
entities (organisms, ...), or of those that PubTator3 marks, go. Where too few are left, statistics fill up.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from abroad.core.field import find_field
from abroad.core.io import read_records
from abroad.core.resume import ResumableOutput, digest
from abroad.core.schema import Document
from abroad.engines.base import GenerationRequest
from abroad.synthesis.generation.writer import Writer
from abroad.synthesis.prompts.keywords import extract_keywords, name_words
from abroad.synthesis.prompts.settings import InstructSettings
from abroad.synthesis.prompts.styles import PROMPT_STYLES

_BUDGET = 160  # new tokens: ten phrases take about sixty
_LONGEST = 6  # words of a keyword
_MARK = re.compile(r"^\s*(?:[-*\u2022]+|\(?\d{1,2}[.):]+)\s*")
_HEADING = re.compile(r"^\s*\W*key\s?(?:words|phrases)\W*[:\n]", re.IGNORECASE)


def ask_keywords(
    documents: Sequence[Document],
    settings: InstructSettings,
    writer: Writer,
) -> list[list[str]]:
    """The keywords of each document, best first; answers are kept, so that a rerun goes on."""
    requests = {request.id: request for request in _requests(documents, settings)}
    wanted = {id: digest(request.prompt, request.temperature, request.seed) for id, request in requests.items()}
    out = writer.work / "keywords.jsonl"
    with (
        ResumableOutput(out, writer.identity, wanted) as output,
        writer.context.progress("asking for keywords", len(requests), done=len(output.done)) as progress,
    ):
        for answer in writer.engine.generate(request for id, request in requests.items() if id not in output.done):
            if answer.error is not None:
                writer.context.rejects.add(f"keywords of {answer.id}", answer.error)
            output.append({"id": answer.id, "answer": answer.text})
            progress.advance()
    output.finish(order=requests)
    answers: dict[str, list[str]] = {}
    for _, _, record in read_records(out):
        answers.setdefault(record["id"].partition(":")[2], []).append(record["answer"])
    spare = extract_keywords(documents, settings.keywords)
    return [
        best_keywords(document, answers.get(document.id, []), others, settings.keywords)
        for document, others in zip(documents, spare, strict=True)
    ]


def _requests(documents: Sequence[Document], settings: InstructSettings) -> list[GenerationRequest]:
    turn, field = PROMPT_STYLES.get(settings.style).turn, find_field(settings.field)
    kinds = " and ".join(f"no {kind.singular}" for kind in field.entities.values())
    ask = (
        f"List the {settings.keywords} keywords or key phrases that say best what this abstract is about, its aim and "
        "methods, separated by commas. Name "
        f"{'no organism and no compound' if field.is_built_in else kinds}."
    )
    return [
        GenerationRequest(
            f"{number}:{document.id}",
            turn(f"{ask}\nTitle: {document.title}\nAbstract: {document.abstract}\nKeywords:"),
            max_new_tokens=_BUDGET,
            temperature=temperature,
            top_p=settings.top_p,
            seed=settings.seed + number,
            stop=("Title:", "Abstract:", "USER:"),
        )
        for document in documents
        for number, temperature in enumerate(settings.keyword_temperatures)
    ]


def read_keywords(answer: str) -> list[str]:
    """The phrases of an answer, in lower case: separated by commas, semicolons or lines, numbered or not."""
    found = []
    for part in re.split(r"[,;\n]", _HEADING.sub("", answer.strip(), count=1)):
        phrase = " ".join(_MARK.sub("", part).strip(" .\"'*").lower().split())
        if len(phrase) > 3 and len(phrase.split()) <= _LONGEST and ":" not in phrase:
            found.append(phrase)
    return list(dict.fromkeys(found))


def best_keywords(document: Document, answers: Sequence[str], spare: Sequence[str], most: int) -> list[str]:
    """The keywords that most answers have, in the order of the first, filled up from `spare`."""
    forbidden = name_words(document)
    votes = Counter(keyword for answer in answers for keyword in read_keywords(answer))
    allowed = [word for word in votes if not set(re.findall(r"[^\W\d_][\w'-]*", word)) & forbidden]
    ranked = sorted(allowed, key=lambda word: -votes[word])
    return list(dict.fromkeys([*ranked, *spare]))[:most]
