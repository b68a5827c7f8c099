"""Kappas of raters, as sums over subjects, so that a bootstrap over documents needs no second pass."""

from __future__ import annotations

import numpy as np


def fleiss_kappa(counts: np.ndarray) -> float | None:
    """Fleiss' kappa: agreement beyond chance of any number of raters.

    kappa = (P - Pe) / (1 - Pe), with P the mean over subjects of (sum_j n_ij^2 - n_i) / (n_i (n_i - 1)) and Pe the
    sum of squares of the categories' shares (Fleiss 1971, Psychological Bulletin 76(5), equations 1 to 7,
    https://doi.org/10.1037/h0031619). Where subjects differ in their number of raters n_i, a category's share is
    that of all ratings.

    Args:
        counts: [subjects, categories], how many raters put the subject into the category; two raters at least.
    Returns:
        None where it is not defined: no subject, or all ratings in one category.
    """
    if not len(counts):
        return None
    value = fleiss_of_sums(fleiss_terms(counts).sum(axis=0)[None])[0]
    return None if np.isnan(value) else float(value)


def fleiss_terms(counts: np.ndarray) -> np.ndarray:
    """[subjects, 2 + categories]: agreement of the subject, 1, ratings in each category; sums of them give kappa."""
    counts = np.asarray(counts, dtype=float)
    raters = counts.sum(axis=1)
    agreement = ((counts**2).sum(axis=1) - raters) / (raters * (raters - 1))
    return np.column_stack([agreement, np.ones(len(counts)), counts])


def fleiss_of_sums(sums: np.ndarray) -> np.ndarray:
    """[n] kappas of [n, 2 + categories] sums of terms; not a number where undefined."""
    with np.errstate(invalid="ignore", divide="ignore"):
        observed = sums[:, 0] / sums[:, 1]
        shares = sums[:, 2:] / sums[:, 2:].sum(axis=1, keepdims=True)
        expected = (shares**2).sum(axis=1)
        return np.where(expected < 1, (observed - expected) / (1 - expected), np.nan)


def cohen_of_sums(sums: np.ndarray) -> np.ndarray:
    """[n] Cohen's kappas of [n, 4] counts: both, only the first, only the second, neither."""
    with np.errstate(invalid="ignore", divide="ignore"):
        both, first, second, neither = (sums / sums.sum(axis=1, keepdims=True)).T
        expected = (both + first) * (both + second) + (neither + first) * (neither + second)
        return np.where(expected < 1, (both + neither - expected) / (1 - expected), np.nan)
