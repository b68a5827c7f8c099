"""`abroad fewshot`: relations from a model that is not trained for them."""

from __future__ import annotations

from pathlib import Path

import typer

from abroad.cli.common import ENGINE_SETTINGS_HELP, report_rejects, say
from abroad.cli.outputs import JSONL, writes


@writes(out=JSONL)
def fewshot(
    documents: Path = typer.Argument(..., metavar="DOCS", help="A file (.json, .jsonl, .txt, .xml) or a folder."),
    out: Path = typer.Option(..., metavar="PRED.jsonl", help="Predictions to write."),
    engine: str = typer.Option("transformers", help="transformers, vllm, or openai (any server of that API)."),
    model: str = typer.Option("smollm2-135m", help="Base or instruct model: path, hub name, or as the server has it."),
    style: str = typer.Option("instruct", help="classic (examples alone), instruct, or cot (in four steps)."),
    prompt: Path = typer.Option(None, metavar="FILE.j2", help="A prompt of your own in place of the style's."),
    shots: int = typer.Option(5, min=0, help="Examples in the prompt."),
    examples: Path = typer.Option(None, metavar="DOCS", help="Documents to take them from; else our own."),
    retrieve: str = typer.Option("fixed", help="fixed, bm25, or embeddings: examples like the document."),
    embedder: str = typer.Option(None, metavar="DIR", help="Encoder for embeddings; minilm-l6 comes as a package."),
    order: str = typer.Option("similar-last", help="Of retrieved examples: similar-last, similar-first, shuffled."),
    fewer_shots: bool = typer.Option(
        False, "--fewer-shots", help="Try prompts beyond the context with fewer examples; else set them aside."
    ),
    chat: str = typer.Option("auto", help="Chat template: auto (instruct and cot, where there is one), always, never."),
    structured: bool = typer.Option(
        None, "--structured/--free", help="Bind answers to their form; by default unless the engine is openai."
    ),
    tokens_per_character: float = typer.Option(
        None, min=0.01, help="New tokens for each character of a document; else by style."
    ),
    images: int = typer.Option(0, min=0, metavar="PIXELS", help="Show the documents' images, the longer side so long."),
    rank: str = typer.Option(None, help="Let the model rank its relations: likelihood, product, er-g or er-d."),
    keep: float = typer.Option(0.5, min=0.01, max=1, help="Share of a document's ranked relations that stays."),
    temperature: float = typer.Option(0.0, min=0, help="0 takes the most probable token."),
    batch_size: int = typer.Option(16, min=1, help="Texts at once; with a server, requests at once."),
    base_url: str = typer.Option(None, metavar="URL", help="With --engine openai: the server, http://HOST:PORT/v1."),
    seed: int = typer.Option(0, help="Of sampling and of shuffled examples."),
    assignments: list[str] = typer.Option([], "--set", metavar="KEY=VALUE", help=ENGINE_SETTINGS_HELP),
) -> None:
    """Extract relations with a base or instruct model as it is, by a few examples in the prompt.

    Examples that the documents hold too are left out. Interrupted, the same command goes on.

    Example: abroad fewshot docs.jsonl --out predictions.jsonl --model smollm2-135m --style classic --shots 5
    """
    from abroad.core.helpers import helper
    from abroad.core.io import Rejects, read_predictions
    from abroad.core.provenance import run_record
    from abroad.documents.inputs import read_path
    from abroad.engines.spec import parse_assignments
    from abroad.extraction.base import extract_documents
    from abroad.extraction.fewshot.entry import ModelEntry, make_extractor
    from abroad.extraction.fewshot.run import FewShotSettings, count_reading
    from abroad.extraction.fewshot.styles import load_style
    from abroad.ranking.rank import RankSettings, rank_file

    rejects = Rejects()
    values = parse_assignments(assignments) | ({"base_url": base_url} if base_url is not None else {})
    entry = ModelEntry(model, engine, batch_size, values)
    settings = FewShotSettings(
        shots=shots,
        retrieve=retrieve,
        order=order,
        chat=chat,
        structured=engine != "openai" if structured is None else structured,
        fewer_shots=fewer_shots,
        resolution=images,
        temperature=temperature,
        seed=seed,
    )
    chosen = load_style(style, prompt, tokens_per_character)
    inputs = read_path(documents, rejects)
    extractor = make_extractor(entry.lazy_engine(say), entry, chosen, settings, inputs, examples, embedder, rejects)
    ranking = RankSettings(by=rank, keep=keep) if rank is not None else None
    answers = helper(out, "answers.jsonl") if ranking is not None else out
    extractor.images_from = documents if documents.is_dir() else documents.parent
    files = [file for file in (documents, examples, prompt) if file is not None]
    with run_record(out, "fewshot", extractor.identity | values | {"batch_size": batch_size}, files) as record:
        report = extract_documents(inputs, extractor, answers, out.with_suffix(".answers.jsonl"))
        predictions = read_predictions(answers)
        reading = count_reading(predictions)
        record["result"] = vars(report) | vars(reading) | {"parse_rate": round(reading.parse_rate, 2)}
        if ranking is not None:
            ranked = rank_file(extractor.engine, entry.identity, inputs, [predictions], ranking, out)
            predictions = read_predictions(out)
            record["ranking"] = {"by": rank, "keep": keep} | vars(ranked)
    for prediction in predictions:
        if prediction.error is not None:
            rejects.add(f"{documents}: {prediction.id}", prediction.error)
    report_rejects(rejects, out)
    say(
        f"{answers}: {report.relations} relations from {report.documents} documents ({report.resumed} from an earlier "
        f"run); {reading.parsed} of {reading.answers} answers could be read ({reading.parse_rate:.1f}%), "
        f"{report.failed} set aside, {report.malformed} malformed parts, {report.cut_off} cut off; prompt {chosen.hash}"
    )
    if ranking is not None:
        say(f"{out}: {sum(len(p.relations) for p in predictions)} of {report.relations} relations stay, by {rank}")


def register(app: typer.Typer) -> None:
    app.command("fewshot")(fewshot)
