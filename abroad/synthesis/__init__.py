"""Synthetic abstracts for known relations: instruct, generate, select."""
