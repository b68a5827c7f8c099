"""The built-in extractor: a learned tagger and a scorer, no GPU and no language model."""
