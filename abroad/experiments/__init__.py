"""Comparisons: of models, settings and training sets, and of what models look at."""
