"""The tokens of `abroad.text.tokens` as a tokenizer of spaCy."""

from collections.abc import Callable

from spacy import Language, Vocab, registry
from spacy.tokens import Doc
from spacy.util import DummyTokenizer

from abroad.text.tokens import tokenise


class Tokenizer(DummyTokenizer):
    """Gives the tokens of `tokenise`; white space beyond one space is a token of its own, so `doc.text` is the text.

    It has no settings: what `DummyTokenizer` saves of it is nothing.
    """

    def __init__(self, vocab: Vocab) -> None:
        self.vocab = vocab

    def __call__(self, text: str) -> Doc:
        words: list[str] = []
        spaces: list[bool] = []
        end = 0
        for start, stop in [*((token.start, token.end) for token in tokenise(text)), (len(text), len(text))]:
            gap = text[end:start]
            if words and gap.startswith(" "):
                spaces[-1] = True
                gap = gap[1:]
            for word in (gap, text[start:stop]):
                if word:
                    words.append(word)
                    spaces.append(False)
            end = stop
        return Doc(self.vocab, words, spaces)


@registry.tokenizers("abroad.Tokenizer.v1")
def make_tokenizer() -> Callable[[Language], Tokenizer]:
    """For the block `[nlp.tokenizer]` of a pipeline's config."""
    return _of_pipeline


def _of_pipeline(nlp: Language) -> Tokenizer:
    return Tokenizer(nlp.vocab)
