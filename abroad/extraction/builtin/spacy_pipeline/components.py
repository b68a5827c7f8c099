"""Components for spaCy: `abroad_organisms`, `abroad_chemicals`, `abroad_relations`.

`abroad`, which is all three or an extractor of another field, is in `abroad.extraction.spacy_component`.

Each needs nothing of the others, and a tokenizer only. Their settings (a directory, thresholds)
are saved in the pipeline's config; the model stays where it is. Components that follow each
other share what the encoder says of a text.
"""

# No `from __future__ import annotations`: spaCy checks the settings of a component by these annotations.

from collections.abc import Callable, Iterable, Iterator, Sequence

import spacy
from spacy import Language
from spacy.tokens import Doc, Span
from spacy.util import filter_spans

from abroad.documents.docbin import ID, TITLE_END
from abroad.extraction.builtin.member import PairSettings
from abroad.extraction.builtin.pairs import PairExtractor, load_pair_extractor, rule_of
from abroad.extraction.builtin.spacy_pipeline import tokenizer  # noqa: F401  # registers it
from abroad.extraction.builtin.spacy_pipeline.analysis import Analysis, reader_of
from abroad.extraction.builtin.spacy_pipeline.annotations import Mention, add_prediction, set_mentions
from abroad.text.taxon_names import taxon_identifier

_LISTED = 0.5  # mean probability of a list's tokens; what the tagger does not take for a name may still be one


Step = Callable[[Doc, Analysis, PairExtractor], None]


class Component:
    """Steps over one Doc. It is pickled as its settings and loads its model again where it is unpickled.

    Args:
        steps: what it does, in order.
        model: directory that `abroad extractor train` wrote; None for the built-in extractor.
        min_score: threshold of relations, as of `load_pair_extractor`.
        precision: instead, the threshold that gave this precision.
        title_end: key of doc.user_data that holds the offset where the title ends; without it there is no title.
    Raises:
        InputError: no such model, a threshold out of range or a precision that was never reached, or both of them.
    """

    def __init__(
        self,
        steps: Sequence[Step],
        model: str | None = None,
        min_score: float | None = None,
        precision: float | None = None,
        title_end: str = TITLE_END,
    ) -> None:
        PairSettings(min_score=min_score, precision=precision)  # refuses what is out of range
        self._settings = (tuple(steps), model, min_score, precision, title_end)
        self._extractor = load_pair_extractor(model, min_score, precision)
        self._reader = reader_of(self._extractor)

    def __call__(self, doc: Doc) -> Doc:
        steps, *_, title_end = self._settings
        analysis = self._reader.read(doc.text, int(doc.user_data.get(title_end) or 0))
        for step in steps:
            step(doc, analysis, self._extractor)
        return doc

    def __reduce__(self) -> tuple[type["Component"], tuple[object, ...]]:
        return type(self), self._settings


def find_organisms(doc: Doc, analysis: Analysis, _: PairExtractor) -> None:
    """Names of organisms in doc.spans["organisms"]; the score says how probable it is that something is found in it."""
    set_mentions(doc, "organism", _organisms(analysis))


def find_chemicals(doc: Doc, analysis: Analysis, _: PairExtractor) -> None:
    """Names of chemicals that are found in an organism, and lists of such, in doc.spans["chemicals"]."""
    set_mentions(doc, "chemical", _longest(doc, _chemicals(analysis)))


def find_relations(doc: Doc, analysis: Analysis, extractor: PairExtractor) -> None:
    """Relations, and the spans they rest on in doc.spans."""
    pairs = extractor.ranked(analysis.table) if analysis.table is not None else []
    prediction = extractor.prediction(str(doc.user_data.get(ID, "")), analysis.reading, pairs)
    for relation in prediction.relations:
        relation.head_id = taxon_identifier(relation.organism)
    add_prediction(doc, prediction)


def _organisms(analysis: Analysis) -> Iterator[Mention]:
    for candidate in analysis.organisms:
        for span in candidate.spans:
            start, end = analysis.reading.original_span(span.mention.start, span.mention.end)
            yield Mention(start, end, [candidate.label], round(span.score, 4), span.mention.rule)


def _chemicals(analysis: Analysis) -> Iterator[Mention]:
    labels: dict[tuple[int, int], list[str]] = {}
    found = {}
    for candidate in sorted(analysis.chemicals, key=lambda candidate: candidate.place):
        for span in candidate.spans:
            if span.tagged or (span.listed and span.mean >= _LISTED):
                found[span.start, span.end] = span
                labels.setdefault((span.start, span.end), []).append(candidate.label)
    reading = analysis.reading
    for place, span in found.items():
        yield Mention(*reading.original_span(*place), labels[place], round(span.mean, 4), rule_of(reading, span))


def _longest(doc: Doc, mentions: Iterable[Mention]) -> list[Mention]:
    """Of mentions whose spans of tokens overlap, the longest; all of those that share one."""
    at: dict[Span, list[Mention]] = {}
    for mention in mentions:
        span = doc.char_span(mention.start, mention.end, alignment_mode="expand")
        if span is not None:
            at.setdefault(span, []).append(mention)
    return [mention for span in filter_spans(at) for mention in at[span]]


@Language.factory("abroad_organisms")
def make_organisms(nlp: Language, name: str, model: str | None = None, title_end: str = TITLE_END) -> Component:
    """Find organisms."""
    return Component([find_organisms], model, title_end=title_end)


@Language.factory("abroad_chemicals")
def make_chemicals(nlp: Language, name: str, model: str | None = None, title_end: str = TITLE_END) -> Component:
    """Find chemicals."""
    return Component([find_chemicals], model, title_end=title_end)


@Language.factory("abroad_relations", assigns=["doc._.relations", "doc._.abroad_prediction", "doc.spans"])
def make_relations(
    nlp: Language,
    name: str,
    model: str | None = None,
    min_score: float | None = None,
    precision: float | None = None,
    title_end: str = TITLE_END,
) -> Component:
    """Find relations of the organisms and chemicals that are there."""
    return Component([find_relations], model, min_score, precision, title_end)


def load(model: str | None = None, min_score: float | None = None, precision: float | None = None) -> Language:
    """English with our tokenizer and all our components; arguments as of `Component`."""
    nlp = spacy.blank("en", config={"nlp": {"tokenizer": {"@tokenizers": "abroad.Tokenizer.v1"}}})
    nlp.add_pipe("abroad", config={"model": model, "min_score": min_score, "precision": precision})
    return nlp
