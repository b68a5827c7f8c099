"""Causal language models: `source` says where one is, `resolve` and `load` bring it into memory, adapters go on top."""
