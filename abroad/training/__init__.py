"""Fine-tune causal language models to write the relations of a text."""
