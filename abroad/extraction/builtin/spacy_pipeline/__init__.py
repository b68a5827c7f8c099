"""The built-in extractor as components of spaCy pipelines.

    nlp = spacy.blank("en")      # or any pipeline, with any tokenizer
    nlp.add_pipe("abroad")
    doc = nlp("Usnic acid was isolated from Usnea barbata.")
    doc._.relations              # list of abroad.core.schema.Relation, offsets in doc.text
    doc.spans["organisms"], doc.spans["chemicals"]

spaCy finds the factories by entry points; importing this package registers them too, and
the extension attributes. `load` gives a pipeline of our own. Nothing is trained here.
"""

from abroad.extraction.builtin.spacy_pipeline.annotations import doc_of
from abroad.extraction.builtin.spacy_pipeline.components import load
from abroad.extraction.builtin.spacy_pipeline.tokenizer import Tokenizer

__all__ = ["Tokenizer", "doc_of", "load"]
