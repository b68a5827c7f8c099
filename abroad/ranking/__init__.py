"""Candidates put in order by what a language model itself thinks of them, without training."""
