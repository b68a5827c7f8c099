"""Relations of documents: the built-in extractor, fine-tuned language models, linking."""
