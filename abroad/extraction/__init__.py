"""Relations of documents: the built-in extractor, language models fine-tuned for it, and others that see examples."""
