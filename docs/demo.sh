#!/bin/sh
# What `make demo` runs, in under 4 minutes on 2 cores: from LOTUS rows and abstracts to two scored extractors
# and a database.
# Each command is printed before it runs, so that you can repeat it. OUT is where everything is written.
#   sh docs/demo.sh [OUT]
set -eu
cd "$(dirname "$0")/.."
out=${1:-runs/demo}
mkdir -p "$out"

step() { printf '\n== %s\n' "$1"; }
run() { printf '$ %s\n' "$*" >&2; "$@"; }

step 'The LOTUS table becomes a table of relations; each filter says what it lost. Its names become an index.'
run abroad lotus prepare data/sample/lotus_metadata.csv --doi2pmid data/sample/doi2pmid.tsv --out "$out/relations.tsv" \
  --index "$out/lotus.sqlite"

step 'Greedy maximum entropy picks the references that show the most different organisms and chemicals.'
run abroad sample "$out/relations.tsv" --n 16 --out "$out/sample.tsv" --plot "$out/sample.png"

step 'Their abstracts come from local PubMed XML.'
run abroad documents fetch "$out/sample.tsv" --relations "$out/relations.tsv" --xml data/sample/pubmed.xml \
  --out "$out/documents.jsonl"

step 'A small language model writes abstracts for the same relations (a minute); those that state them are kept.'
run abroad synth instruct "$out/documents.jsonl" --prompts-per-document 2 --temperature 0.3 1.0 --max-new-tokens 90 \
  --out "$out/prompts.jsonl"
run abroad synth generate "$out/prompts.jsonl" --model smollm2-135m --out "$out/abstracts.jsonl"
run abroad synth select "$out/abstracts.jsonl" --seeds "$out/documents.jsonl" --best 2 --out "$out/synthetic.jsonl"

step 'The built-in extractor is trained further on the abstracts, real and synthetic.'
run abroad extractor train "$out/documents.jsonl" --synthetic "$out/synthetic.jsonl" --out "$out/extractor"

step 'Both extractors, as shipped and trained further, read 16 other documents.'
run abroad extract data/sample/curated.jsonl --out "$out/shipped.jsonl"
run abroad extract data/sample/curated.jsonl --model "$out/extractor" --out "$out/trained.jsonl"
run abroad extract data/sample/curated.jsonl --out "$out/relations.csv"

step 'The shipped extractor beside what curators would have written:'
run abroad evaluate --gold data/sample/curated.jsonl --pred "$out/shipped.jsonl" --report "$out/shipped.html" |
  sed -n 1,4p  # all of it is read: a reader that stops early ends the command before it has written its report
step 'The one that was trained further, and whether the difference is more than chance:'
run abroad evaluate --gold data/sample/curated.jsonl --pred "$out/trained.jsonl" --compare "$out/shipped.jsonl" \
  --report "$out/trained.html" | sed -n '1,4p;6p'

step 'What the shipped extractor read in all abstracts of the sample becomes a database, and tells new from known.'
run abroad extract data/sample/pubmed.xml --out "$out/sample.jsonl"
run abroad knowledge build "$out/sample.jsonl" "$out/shipped.jsonl" --index "$out/lotus.sqlite" --out "$out/np.duckdb"
run abroad knowledge stats "$out/np.duckdb" | tail -n 2
run abroad knowledge query "$out/np.duckdb" --limit 3

cat <<END

Done. The abstracts of the sample are invented, and so few documents decide nothing: see the intervals.
Where to look:
  $out/shipped.html     every document with its relations, right, wrong and missed; kinds of errors
  $out/trained.html     the same of the extractor that was trained further
  $out/relations.csv    the relations as a table
  $out/np.duckdb        the database: abroad knowledge browse $out/np.duckdb shows it in your browser
  $out/sample.png       how evenly the sample spreads over organisms and chemicals
  $out/synthetic.jsonl  the synthetic abstracts that were kept
Next: docs/tutorials/first-results.md, with documents of your own.
END
