"""Optuna studies of training and decoding: kept in SQLite, so that they go on, and run side by side.

Several processes given the same study share its trials: start the same command as often as there are GPUs.
The search space of training is that of Delmas et al. 2024: learning rate 1e-6 to 1e-3 (logarithmic), batch sizes whose
accumulation makes about 80 examples an update, pairs of rank and alpha; after 40 trials those are pruned that fall
below the median from the third epoch on. That of decoding is ours: greedy or 3 or 5 beams, early stopping, length
penalty 0 to 3, n-gram block.
https://optuna.readthedocs.io
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from abroad.core.context import Context
from abroad.core.errors import InputError, MissingDependencyError
from abroad.core.resume import digest
from abroad.core.schema import Document
from abroad.documents.instructions import Task
from abroad.evaluation.metrics import micro_scores
from abroad.extraction.generative.decoding import Decoding
from abroad.extraction.generative.extractor import GenerativeExtractor
from abroad.training.settings import TrainSettings

EXAMPLES = 80
"""Of an update, whatever its batch size."""
_OLD_RANKS = ((4, 8), (8, 16), (16, 16), (16, 32), (32, 64))
"""Pairs by their places, in studies of earlier versions."""


@dataclass(frozen=True)
class Space:
    """What is searched besides the learning rate.

    Attributes:
        batches: batch sizes.
        ranks: of the adapter; alpha is once, twice or four times as much.
    """

    batches: tuple[int, ...]
    ranks: tuple[int, ...]

    @property
    def adapters(self) -> list[str]:
        """Pairs of rank and alpha, as "8/16"."""
        return [f"{rank}/{rank * times}" for rank in self.ranks for times in (1, 2, 4)]


SPACES = {"base": Space((4, 8, 16), (4, 8, 16)), "large": Space((6, 12), (4, 8))}
"""The published ones: for BioGPT and models of its size, and for BioGPT-Large."""
STOPPING: tuple[bool | str, ...] = (True, False, "never")


def import_optuna() -> Any:
    """Optuna, its log turned down.

    Raises:
        MissingDependencyError: the extra `tune` is not installed.
    """
    try:
        import optuna
    except ImportError:
        raise MissingDependencyError("optuna", "tune", "a search for settings") from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def open_study(file: Path, kind: str, what: dict[str, Any] | None = None, seed: int = 0) -> Any:
    """The study in a file, made if it is not there.

    Args:
        kind: "train" or "decode"; a file may hold one of each.
        what: data and fixed settings; a study of others is refused, so that figures are comparable. None opens
            one that is there.
    Raises:
        InputError: a study of other data, none where one is needed, or a file that is no study.
    """
    optuna = import_optuna()
    if what is None and not file.is_file():
        raise InputError(f"{file}: no such study; `abroad tune {kind}` makes it")
    file.parent.mkdir(parents=True, exist_ok=True)
    storage = f"sqlite:///{file.resolve().as_posix()}"
    try:
        if what is None:
            return optuna.load_study(study_name=kind, storage=storage)
        study = optuna.create_study(
            study_name=kind,
            storage=storage,
            direction="maximize",
            load_if_exists=True,
            sampler=optuna.samplers.TPESampler(seed=seed),
            pruner=optuna.pruners.MedianPruner(n_startup_trials=40, n_warmup_steps=3),  # a step is an epoch
        )
    except KeyError:
        raise InputError(f"{file}: no study of {kind} in it; `abroad tune {kind}` makes it") from None
    except Exception as error:
        if type(error).__module__.startswith(("sqlalchemy", "sqlite3")):
            raise InputError(f"{file}: not a study: {str(error).splitlines()[0]}") from None
        raise
    identity = digest(what)
    if study.user_attrs.setdefault("identity", identity) != identity:
        raise InputError(f"{file}: a study of other documents or settings; give another file")
    study.set_user_attr("identity", identity)
    study.set_user_attr("what", what)
    return study


def tune_training(
    documents: Sequence[Document | Task],
    validation: Sequence[Document],
    base: TrainSettings,
    study: Any,
    trials: int,
    out: Path,
    context: Context,
    space: Space = SPACES["base"],
) -> None:
    """Make trials until the study holds `trials` of them; each is scored on the validation documents.

    A trial whose F1 after an epoch is below the median of the others at that epoch is pruned.
    """
    optuna = import_optuna()

    def objective(trial: Any) -> float:
        from abroad.training.train import TrainingRun

        rate = trial.suggest_float("learning_rate", 1e-6, 1e-3, log=True)
        batch = trial.suggest_categorical("batch_size", space.batches)
        rank, _, alpha = trial.suggest_categorical("lora", space.adapters).partition("/")
        settings = base.replace(
            learning_rate=rate,
            batch_size=batch,
            gradient_accumulation_steps=round(EXAMPLES / batch),
            lora_rank=int(rank),
            lora_alpha=int(alpha),
            keep_every=0,
        )
        run = TrainingRun(documents, validation, settings, out / f"trial-{trial.number}", context.apart())
        if run.finished is not None:
            return float(run.finished.best_f1 or 0.0)

        def scored(epoch: int, f1: float) -> None:
            trial.report(f1, epoch)
            if trial.should_prune():
                raise optuna.TrialPruned

        run.on_score = scored
        return float(run.finish(run.train()).best_f1 or 0.0)

    _optimise(study, objective, trials, context)


def tune_decoding(
    extractor: GenerativeExtractor,
    dev: Sequence[Document],
    base: Decoding,
    study: Any,
    trials: int,
    context: Context,
) -> None:
    """As `tune_training`, for the decoding of one model."""

    def objective(trial: Any) -> float:
        beams = trial.suggest_categorical("beams", (1, 3, 5))
        changes: dict[str, Any] = {
            "num_beams": beams,
            "no_repeat_ngram_size": trial.suggest_categorical("ngram_block", (0, 8, 16)),
        }
        if beams > 1:
            changes["length_penalty"] = trial.suggest_float("length_penalty", 0.0, 3.0, step=0.25)
            changes["early_stopping"] = STOPPING[trial.suggest_int("early_stopping", 0, len(STOPPING) - 1)]
        decoding = base.replace(**changes)
        trial_extractor = GenerativeExtractor(extractor.engine, extractor.tokenizer, decoding, {}, extractor.notation)
        scores = micro_scores(dev, list(trial_extractor.extract(dev)))
        trial.set_user_attr("precision", scores.precision)
        trial.set_user_attr("recall", scores.recall)
        return float(scores.f1)

    _optimise(study, objective, trials, context)


def _optimise(study: Any, objective: Callable[[Any], float], trials: int, context: Context) -> None:
    optuna = import_optuna()
    states = optuna.trial.TrialState
    _close_interrupted(study, states)

    def told(study: Any, trial: Any) -> None:
        outcome = "pruned" if trial.value is None else f"F1 {trial.value:.1f}"
        best = f", best so far {study.best_value:.1f}" if any(t.value is not None for t in study.trials) else ""
        context.say(f"trial {trial.number}: {outcome}{best} ({readable(trial.params)})")

    # Counts what other processes did meanwhile, and is checked before each trial.
    stop = optuna.study.MaxTrialsCallback(trials, states=(states.COMPLETE, states.PRUNED))
    if sum(trial.state in (states.COMPLETE, states.PRUNED) for trial in study.trials) < trials:
        study.optimize(objective, callbacks=[told, stop], catch=())


def _close_interrupted(study: Any, states: Any) -> None:
    """Trials that a killed process left running more than a day ago count as failed."""
    from datetime import datetime, timedelta

    for trial in study.trials:
        started = trial.datetime_start
        if trial.state == states.RUNNING and started and datetime.now() - started > timedelta(days=1):
            with contextlib.suppress(Exception):
                study.tell(trial.number, state=states.FAIL)


def readable(params: dict[str, Any]) -> str:
    """Parameters of a trial as a config would have them."""
    return ", ".join(f"{name}: {value}" for name, value in _named(params))


def _named(params: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in params.items():
        if name == "rank_and_alpha":
            yield "lora_rank", str(_OLD_RANKS[value][0])
            yield "lora_alpha", str(_OLD_RANKS[value][1])
        elif name == "lora":
            rank, _, alpha = value.partition("/")
            yield "lora_rank", rank
            yield "lora_alpha", alpha
        elif name == "batch_size":
            yield name, str(value)
            if "lora" in params:
                yield "gradient_accumulation_steps", str(round(EXAMPLES / value))
        elif name == "early_stopping":
            yield name, str(STOPPING[value]).lower()
        else:
            yield Decoding.former_names.get(name, name), f"{value:.3g}" if isinstance(value, float) else str(value)


def best_section(study: Any) -> str:
    """The best trial as a section of a config.

    Raises:
        InputError: no trial has ended.
    """
    finished = [trial for trial in study.trials if trial.value is not None]
    if not finished:
        raise InputError("no trial has ended yet; run `abroad tune` first")
    section = "train" if study.study_name == "train" else "extract"
    lines = [f"  {name}: {value}" for name, value in _named(study.best_params)]
    return "\n".join([f"{section}:  # F1 {study.best_value:.1f}, trial {study.best_trial.number}", *lines]) + "\n"
