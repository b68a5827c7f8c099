"""What follows from the evidence: entities, and for each pair its publications, probability and status.

**Probability.** A publication supports a pair by the highest score of its documents' relations, calibrated to q. Over
publications they are combined by noisy-or: the pair is wrong only if every one of them was read wrongly,

    P = 1 - (1 - q1) (1 - q2) ... (1 - qn).

That takes readings of different publications as independent; of one publication (the same DOI, PMID or text) only the
best counts. Retracted publications count nothing.

**Calibration.** q = sigmoid(a logit(score) + b), with a and b fitted on relations that are known to be right or wrong:
what curators accepted or rejected, what labelled documents say, and, in documents of which the index has a relation,
whether it has this one. The index lacks true relations, so that q rather says too little. The fit is drawn towards
a = 1, b = 0, the extractor's own scores, which is what holds where fewer than `MIN_PAIRS` relations are known.

**Status.** *Known*: the index has the pair. *Not linked*: it lacks one of the two names, and so nobody can say.
*Disputed*: it has the compound from one of these very publications, of other organisms only. *New*: none of these.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from abroad.knowledge.store import Store, read_meta, write_meta
from abroad.linking.link import DISPUTED, KNOWN, NEW, NOT_LINKED

MIN_PAIRS = 50
"""Relations with a known answer, of which some are right and some wrong, below which nothing is fitted."""
_PRIOR = 1.0  # how strongly the fit is drawn towards the scores as they are
NO_SCORE = 0.5
"""What an extractor without scores is taken to say."""
_EDGE = 1e-4  # scores are kept off 0 and 1, whose logits are infinite
ACCEPTED, REJECTED = "accepted", "rejected"


@dataclass(frozen=True)
class Calibration:
    """What a score is worth: sigmoid(a logit(score) + b).

    Attributes:
        a: slope.
        b: offset.
        right: relations that it was fitted on, which are right.
        wrong: and which are wrong.
        documents: that they stand in.
    """

    a: float = 1.0
    b: float = 0.0
    right: int = 0
    wrong: int = 0
    documents: int = 0

    @property
    def fitted(self) -> bool:
        return (self.a, self.b) != (1.0, 0.0)

    def __call__(self, score: float) -> float:
        x = min(max(score, _EDGE), 1 - _EDGE)
        return 1 / (1 + math.exp(-(self.a * math.log(x / (1 - x)) + self.b)))


def combine(store: Store, include_retracted: bool = False) -> Calibration:
    """Make `entity` and `pair` anew from what was read; run inside a transaction."""
    _name_publications(store)
    _fill_entities(store)
    calibration = fit(*_known_answers(store))
    _fill_pairs(store, calibration, include_retracted)
    write_meta(store, calibration=asdict(calibration), include_retracted=include_retracted)
    return calibration


def read_calibration(store: Store) -> Calibration:
    """The calibration that the pairs of a database were made with."""
    return Calibration(**read_meta(store).get("calibration", {}))


def why_not_fitted(found: Calibration) -> str:
    """Why scores are taken as they are, and what it takes to calibrate them."""
    known = found.right + found.wrong
    said = f"the answer is known for {known:,} relations ({found.right:,} right, {found.wrong:,} wrong)"
    needs = f"it takes {MIN_PAIRS}, some of them right and some wrong"
    return f"{said}, and {needs}: curators' decisions (--decisions) and labelled documents give more"


def fit(scores: Sequence[float], right: Sequence[bool], documents: int = 0) -> Calibration:
    """The calibration that answers suggest; the identity where there are too few.

    Args:
        scores: of relations, each 0 to 1.
        right: whether each is true.
        documents: how many documents they stand in, for the report.
    """
    count = sum(right)
    facts = {"right": count, "wrong": len(right) - count, "documents": documents}
    if len(right) < MIN_PAIRS or not 0 < count < len(right):
        return Calibration(**facts)
    from scipy.optimize import minimize

    x: NDArray[np.float64] = np.clip(np.asarray(scores, dtype=float), _EDGE, 1 - _EDGE)
    x = np.log(x / (1 - x))
    # Platt 1999: targets short of 0 and 1 by what one more answer of the other kind would take away.
    target = np.where(np.asarray(right), (count + 1) / (count + 2), 1 / (len(right) - count + 2))

    def loss(parameters: NDArray[np.float64]) -> float:
        a, b = parameters
        z = a * x + b
        return float((np.logaddexp(0, z) - target * z).sum() + 0.5 * _PRIOR * ((a - 1) ** 2 + b**2))

    a, b = minimize(loss, np.array([1.0, 0.0]), method="L-BFGS-B", bounds=[(0.05, 5.0), (-5.0, 5.0)]).x
    return Calibration(round(float(a), 4), round(float(b), 4), **facts)


def _name_publications(store: Store) -> None:
    """Documents of one DOI, PMID or text are one publication; its name is the first of them that is known."""
    store.query(
        """
CREATE TEMPORARY TABLE named AS
WITH one AS (
  SELECT id, pmid, text_key,
    coalesce('doi:' || doi, 'pmid:' || pmid, 'text:' || text_key) AS name
  FROM document),
two AS (SELECT id, text_key, min(name) OVER (PARTITION BY coalesce('p' || pmid, 'd' || id)) AS name FROM one),
three AS (SELECT id, min(name) OVER (PARTITION BY text_key) AS name FROM two)
SELECT id, name FROM three"""
    )
    store.query("CREATE TEMPORARY TABLE renamed AS SELECT n.id, n.name FROM named n JOIN document d ON d.id = n.id "
                "WHERE d.publication IS NULL OR d.publication <> n.name")  # fmt: skip
    store.query(
        "UPDATE document SET publication = (SELECT name FROM renamed r WHERE r.id = document.id) "
        "WHERE id IN (SELECT id FROM renamed)"
    )
    store.query("DROP TABLE named")
    store.query("DROP TABLE renamed")


def _fill_entities(store: Store) -> None:
    """An entity goes by the name that the index has for it, else by the label that most documents use."""
    store.query("DELETE FROM entity")
    store.query(
        """
INSERT INTO entity
WITH counted AS (SELECT alias_type, label, type, count(*) AS times FROM used GROUP BY alias_type, label, type),
ranked AS (
  SELECT a.entity, u.type, coalesce(a.name, a.label) AS name, a.identifier, a.indexed, a.item, row_number() OVER (
    PARTITION BY a.entity ORDER BY CASE WHEN a.indexed IS NULL THEN 1 ELSE 0 END, u.times DESC, a.label) AS place
  FROM alias a JOIN counted u ON u.alias_type = a.type AND u.label = a.label)
SELECT entity, type, name, identifier, indexed, item FROM ranked WHERE place = 1"""
    )


def _known_answers(store: Store) -> tuple[list[float], list[bool], int]:
    """(scores, whether each is right, number of documents) of relations that somebody has an answer for.

    Curators before the index: what they said of a relation counts, and the index is asked only for the others.
    """
    rows = store.query(
        """
WITH said AS (
  SELECT document, head_text, relation, tail_text, avg(CASE verdict WHEN 'accepted' THEN 1.0 ELSE 0.0 END) AS accepted
  FROM decided WHERE verdict IN ('accepted', 'rejected') GROUP BY document, head_text, relation, tail_text),
read AS (
  SELECT s.document, s.doi, max(s.score) AS score, h.indexed AS head, t.indexed AS tail, max(c.accepted) AS accepted
  FROM stated s JOIN entity h ON h.id = s.head JOIN entity t ON t.id = s.tail
  LEFT JOIN said c ON c.document = s.document AND c.head_text = s.head_text AND c.tail_text = s.tail_text
    AND c.relation = s.relation
  WHERE s.score IS NOT NULL
  GROUP BY s.document, s.doi, s.head, s.relation, s.tail, h.indexed, t.indexed),
covered AS (
  SELECT DISTINCT r.document FROM read r JOIN known k ON k.doi = r.doi AND k.head = r.head AND k.tail = r.tail),
pairs_known AS (SELECT DISTINCT head, tail FROM known)
SELECT r.document, r.score, CASE WHEN r.accepted IS NOT NULL THEN CASE WHEN r.accepted > 0.5 THEN 1 ELSE 0 END
  WHEN p.head IS NULL THEN 0 ELSE 1 END
FROM read r LEFT JOIN pairs_known p ON p.head = r.head AND p.tail = r.tail
WHERE (r.accepted IS NOT NULL AND r.accepted <> 0.5)
  OR (r.accepted IS NULL AND r.head IS NOT NULL AND r.tail IS NOT NULL
      AND r.document IN (SELECT document FROM covered))
ORDER BY r.document, r.score"""
    )
    return [row[1] for row in rows], [bool(row[2]) for row in rows], len({row[0] for row in rows})


def _fill_pairs(store: Store, calibration: Calibration, include_retracted: bool) -> None:
    store.query("DELETE FROM pair")
    retracted = "" if include_retracted else "WHERE s.retracted = 0"
    store.query(
        f"""
INSERT INTO pair
WITH worth AS (
  SELECT s.head, s.relation, s.tail, s.publication, s.document, s.doi, s.year,
    CASE WHEN s.score IS NULL THEN {NO_SCORE} WHEN s.score < {_EDGE} THEN {_EDGE}
      WHEN s.score > {1 - _EDGE} THEN {1 - _EDGE} ELSE s.score END AS score
  FROM stated s {retracted}),
published AS (
  SELECT head, relation, tail, publication, count(DISTINCT document) AS documents, min(year) AS first_year,
    max(year) AS last_year, max(1 / (1 + exp(-(? * ln(score / (1 - score)) + ?)))) AS q
  FROM worth GROUP BY head, relation, tail, publication),
combined AS (
  SELECT head, relation, tail, 1 - exp(sum(ln(1 - q))) AS probability, count(*) AS publications,
    sum(documents) AS documents, min(first_year) AS first_year, max(last_year) AS last_year
  FROM published GROUP BY head, relation, tail),
pairs_known AS (SELECT DISTINCT head, tail FROM known),
disputed AS (
  SELECT DISTINCT w.head, w.tail FROM worth w JOIN entity t ON t.id = w.tail
  JOIN known k ON k.doi = w.doi AND k.tail = t.indexed),
said AS (
  SELECT s.head, s.relation, s.tail,
    count(DISTINCT CASE d.verdict WHEN 'accepted' THEN d.curator || '/' || d.document END) AS yes,
    count(DISTINCT CASE d.verdict WHEN 'rejected' THEN d.curator || '/' || d.document END) AS no
  FROM decided d JOIN stated s
    ON s.document = d.document AND s.head_text = d.head_text AND s.tail_text = d.tail_text
      AND s.relation = d.relation
  GROUP BY s.head, s.relation, s.tail)
SELECT c.head, c.relation, c.tail, c.probability,
  CASE WHEN h.indexed IS NULL OR t.indexed IS NULL THEN '{NOT_LINKED}' WHEN k.head IS NOT NULL THEN '{KNOWN}'
    WHEN x.head IS NOT NULL THEN '{DISPUTED}' ELSE '{NEW}' END,
  c.publications, c.documents, c.first_year, c.last_year, coalesce(v.yes, 0), coalesce(v.no, 0)
FROM combined c JOIN entity h ON h.id = c.head JOIN entity t ON t.id = c.tail
LEFT JOIN pairs_known k ON k.head = h.indexed AND k.tail = t.indexed
LEFT JOIN disputed x ON x.head = c.head AND x.tail = c.tail
LEFT JOIN said v ON v.head = c.head AND v.relation = c.relation AND v.tail = c.tail""",
        (calibration.a, calibration.b),
    )
