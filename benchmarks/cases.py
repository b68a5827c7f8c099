"""How many texts of the kinds that extractors read wrongly the built-in extractor reads rightly.

Run: python benchmarks/cases.py ../shared/cases [--failures]

The texts and what is expected of them stand in tests/extraction/builtin/kinds.py: cases that were found (their texts
are in ../shared/cases), and members of the same kinds that were made up. The last column asks for less: that all
expected relations are among the candidates, whatever their score; it measures the reading without the decision.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from abroad.core.schema import Document
from abroad.extraction.builtin.pairs import PairExtractor, load_pair_extractor
from tests.extraction.builtin.kinds import CASES, Expected, case_ids, members, read_case

Text = tuple[str, Document, Expected]


def cases(folder: Path) -> Iterator[Text]:
    for file, key in case_ids():
        yield f"{file[:3]}-{key}", read_case(folder, file, key), CASES[file][key]


def measure(what: str, texts: Iterable[Text], extractors: tuple[PairExtractor, PairExtractor], failures: bool) -> str:
    """A row of the table; prints what failed, with the candidates and their scores, if that is wanted."""
    default, everything = extractors
    count = passed = candidates = 0
    for name, document, expected in texts:
        found = {(r.organism, r.chemical): r.score for r in default.predict(document).relations}
        any_score = {(r.organism, r.chemical): r.score for r in everything.predict(document).relations}
        problems = expected.problems(found)
        count, passed = count + 1, passed + (not problems)
        candidates += not any(p.startswith("missing") for p in expected.problems(any_score))
        if problems and failures:
            best = sorted(any_score.items(), key=lambda item: -(item[1] or 0))[:6]
            shown = "; ".join(f"{organism}|{chemical} {score:.2f}" for (organism, chemical), score in best)
            print(f"- {name}: {'; '.join(problems)}. Candidates: {shown or 'none'}")
    return f"| {what} | {count} | {passed} | {candidates} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", type=Path)
    parser.add_argument("--failures", action="store_true", help="list what failed, with what came")
    arguments = parser.parse_args()
    extractors = load_pair_extractor(), load_pair_extractor(min_score=0.0)
    with tempfile.TemporaryDirectory() as folder:
        rows = [
            measure("cases that were found", cases(arguments.cases), extractors, arguments.failures),
            measure("members of the same kinds", members(Path(folder)), extractors, arguments.failures),
        ]
    print("| texts | number | as expected | all expected relations among the candidates |\n| --- | --- | --- | --- |")
    print("\n".join(rows))


if __name__ == "__main__":
    main()
