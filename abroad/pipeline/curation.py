"""A run with a section `curation`: the stages up to the documents, then rounds with curators."""

from __future__ import annotations

from abroad.core.context import Context
from abroad.core.locks import held
from abroad.pipeline.config import Config
from abroad.pipeline.runner import run_stages
from abroad.pipeline.stages import make_document_stages
from annotation.loop.run import LoopReport, run_loop


def run_curation(config: Config, context: Context, force: bool = False) -> LoopReport:
    """Go as far as decisions allow.

    Args:
        force: overwrite files in the run's directory that no stage wrote.
    Raises:
        InputError: a section or file of the config does not fit.
        AbroadError: the annotation server is away.
    """
    assert config.curation is not None, "only configs with a section curation come here"
    with held(config.out, "abroad run"):
        record = run_stages(config, make_document_stages(config), context, force=force)
        return run_loop(config.out, config.curation, config.seed, record, context)
