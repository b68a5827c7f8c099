"""Prompts -> abstracts, in shards, by one process or several."""
