"""Numbers made of attention matrices; NumPy alone, no model.

Gao et al., "Roles of scaling and instruction tuning in language perception: model vs. human attention",
https://arxiv.org/abs/2310.19084. A matrix has shape (..., words, words): a row is what one word looks at, itself and
the words before it, and sums to 1.
"""

from __future__ import annotations

from typing import Any

MIN_WORDS = 4
"""Below, the trivial patterns are all there is."""
_TOGETHER = 3  # dimensions that are worked on at once: the heads of one layer, or long texts would fill the memory


def trivial_share(attention: Any) -> Any:
    """R2 of a linear fit (with intercept) on three indicators: the word itself, the one before it, the first one.

    The first row is left out: it has one word to look at and says nothing. 1 is a head that these patterns explain.

    Args:
        attention: of shape (..., n, n) with n >= MIN_WORDS.
    Returns:
        of shape (...).
    """
    import numpy as np

    if attention.ndim > _TOGETHER:
        return np.stack([trivial_share(part) for part in attention])
    n = attention.shape[-1]
    rows, columns = np.tril_indices(n)
    rows, columns = rows[1:], columns[1:]
    design = np.stack([np.ones(len(rows)), rows == columns, rows - 1 == columns, columns == 0], axis=1)
    values = attention[..., rows, columns].reshape(-1, len(rows)).astype(float).T
    coefficients, *_ = np.linalg.lstsq(design, values, rcond=None)
    residual = ((values - design @ coefficients) ** 2).sum(axis=0)
    total = ((values - values.mean(axis=0)) ** 2).sum(axis=0)
    share = 1 - np.divide(residual, total, out=np.zeros_like(residual), where=total > 0)
    return share.reshape(attention.shape[:-2])


def divergence(a: Any, b: Any) -> Any:
    """Mean over rows (but the first) of the Jensen-Shannon divergence in bits: 0 for equal rows, 1 for disjoint ones.

    Args:
        a: of shape (..., n, n), rows summing to 1.
        b: of the same shape, likewise.
    Returns:
        of shape (...).
    """
    import numpy as np

    if np.ndim(a) > _TOGETHER:
        return np.stack([divergence(*parts) for parts in zip(a, b, strict=True)])

    def against(p: Any, middle: Any) -> Any:
        ratio = np.divide(p, middle, out=np.ones_like(p), where=(p > 0) & (middle > 0))
        return (p * np.log2(ratio)).sum(axis=-1)

    a, b = np.asarray(a, float)[..., 1:, :], np.asarray(b, float)[..., 1:, :]
    middle = (a + b) / 2
    return ((against(a, middle) + against(b, middle)) / 2).mean(axis=-1)


def by_quarter(values: Any) -> Any:
    """Means over each quarter of the layers, of an array of shape (layers, ...); (4, ...), fewer with fewer layers."""
    import numpy as np

    parts = [part for part in np.array_split(np.asarray(values), 4) if len(part)]
    return np.stack([part.mean(axis=0) for part in parts])


def mention_mass(attention: Any, rows: Any, columns: Any) -> Any:
    """Mean over `rows` of the attention that falls on `columns`.

    Args:
        attention: of shape (..., tokens, tokens).
        rows: indices of the tokens that look.
        columns: indices of those looked at.
    Returns:
        of shape (...).
    """
    return attention[..., rows, :][..., columns].sum(axis=-1).mean(axis=-1)
