"""Searches for settings of training and decoding, with Optuna."""
