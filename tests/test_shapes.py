"""Modules and functions stay readable; those that are not yet are named here, and this list may only become shorter."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("abroad", "annotation", "gme_sampler")
MAX_LINES_OF_A_MODULE, MAX_LINES, MAX_PARAMETERS = 400, 50, 5

LONG = {
    "abroad.api:evaluate",
    "abroad.api:predictions_frame",
    "abroad.cli.documents:split",
    "abroad.cli.evaluate:evaluate",
    "abroad.cli.extract:extract",
    "abroad.cli.fewshot:fewshot",
    "abroad.cli.leaderboard:leaderboard",
    "abroad.cli.rank:rank",
    "abroad.documents.fetch:fetch_documents",
    "abroad.engines.transformers.engine:TransformersEngine._generate_batch",
    "abroad.engines.vllm.engine:VllmEngine.from_name",
    "abroad.extraction.builtin.features:chemical_features",
    "abroad.models.load:load_model",
    "abroad.ranking.game:_play",
    "abroad.release.pack:_card",
    "annotation.argilla.push:push",
}
"""Functions of more than 50 lines, signature and docstring counted."""
WIDE = {
    "abroad.api:evaluate",
    "abroad.cli.documents:_fetch_references",
    "abroad.documents.fetch:fetch_documents",
    "abroad.documents.stage:documents_stage",
    "abroad.engines.transformers.engine:TransformersEngine.__init__",
    "abroad.engines.transformers.scoring:score_continuations",
    "abroad.experiments.compare:_predictions",
    "abroad.experiments.compare:compare_sets",
    "abroad.experiments.curve:curve",
    "abroad.experiments.leaderboard.run:_rank",
    "abroad.experiments.leaderboard.run:_run_row",
    "abroad.experiments.leaderboard.run:score",
    "abroad.experiments.tuning.study:tune_decoding",
    "abroad.experiments.tuning.study:tune_training",
    "abroad.extraction.builtin.candidates:_span",
    "abroad.extraction.builtin.fit:cross_validate",
    "abroad.extraction.builtin.encoder_examples:_by_window",
    "abroad.extraction.spacy_component:make_component",
    "abroad.extraction.builtin.spacy_pipeline.components:make_relations",
    "abroad.extraction.fewshot.entry:make_extractor",
    "abroad.extraction.generative.load:load_generative_extractor",
    "abroad.ranking.compare:_order_scores",
    "abroad.ranking.rank:rank_file",
    "abroad.release.grid:search",
    "abroad.sources.download:download",
    "abroad.sources.formats.spreadsheets:_rows",
    "abroad.synthesis.generation.generate:generate_abstracts",
    "abroad.synthesis.prompts.instruct:_record",
    "abroad.synthesis.stages:instruct_stage",
    "abroad.synthesis.stages:specialise_stage",
    "abroad.synthesis.tasks.specialise:specialise",
    "abroad.text.organism_candidates:_species",
    "abroad.training.data:make_examples",
    "annotation.argilla.push:push",
    "annotation.argilla.push:send",
    "gme_sampler.search:_score",
}
"""Functions of more than 5 parameters; those of commands are options, and not counted."""


def functions() -> Iterator[tuple[str, ast.FunctionDef]]:
    """("package.module:name", its tree) of every function and method of the packages."""
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*.py")):
            module = ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            yield from within(ast.parse(file.read_text(encoding="utf-8")), f"{module}:")


def within(tree: ast.AST, path: str) -> Iterator[tuple[str, ast.FunctionDef]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef):
            yield f"{path}{node.name}", node
        inner = f"{path}{node.name}." if isinstance(node, ast.FunctionDef | ast.ClassDef) else path
        yield from within(node, inner)


def lines(node: ast.FunctionDef) -> int:
    return (node.end_lineno or 0) - node.lineno + 1


def parameters(node: ast.FunctionDef) -> int:
    """How many a caller gives; 0 of a command, whose parameters are its arguments and options."""
    given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    if any(isinstance(default, ast.Call) and ast.unparse(default.func) in COMMANDS for default in node.args.defaults):
        return 0
    return len(given) - (given[:1] != [] and given[0].arg in ("self", "cls"))


COMMANDS = ("typer.Argument", "typer.Option")
FUNCTIONS = dict(functions())


@pytest.mark.parametrize(
    ("what", "known", "over"),
    [
        ("50 lines", LONG, {name for name, node in FUNCTIONS.items() if lines(node) > MAX_LINES}),
        ("5 parameters", WIDE, {name for name, node in FUNCTIONS.items() if parameters(node) > MAX_PARAMETERS}),
    ],
    ids=["lines", "parameters"],
)
def test_no_more_functions_are_too_large_than_were(what, known, over):
    assert not over - known, f"more than {what}: split them, or put what travels together into one object"
    assert not known - over, f"no longer more than {what}: take them off the list, so that it stays so"


def test_no_module_is_too_long():
    long = {
        str(file.relative_to(ROOT)): count
        for package in PACKAGES
        for file in sorted((ROOT / package).rglob("*.py"))
        if (count := len(file.read_text(encoding="utf-8").splitlines())) > MAX_LINES_OF_A_MODULE
    }
    assert long == {}, "look for the second job that they have taken on"


TRAVELLING = {"rejects", "say", "progress"}


def test_what_sets_aside_and_shows_is_given_the_one_context():
    """No function or lambda takes a part of the context; the sampler, a library of its own, has none to take."""
    found = [
        f"{file.relative_to(ROOT)}:{argument.lineno} {argument.arg}"
        for package in ("abroad", "annotation")
        for file in sorted((ROOT / package).rglob("*.py"))
        for argument in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(argument, ast.arg) and argument.arg in TRAVELLING
    ]
    assert found == [], "take a `context: Context`"
