"""Relations written as text by a fine-tuned causal language model."""
