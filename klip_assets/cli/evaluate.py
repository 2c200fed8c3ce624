"""`klip eval`: how good highlights and tweet sentiment are on golden sets, compared with baselines."""

from __future__ import annotations

import uuid

import click

from klip_assets.cli.output import json_option, show_rows
from klip_assets.settings import Settings

#: Keyword for sets of labelled tweets; a folder of that name is written ./tweets.
TWEETS = "tweets"


@click.command("eval")
@click.argument("sets", nargs=-1, metavar="[SET]...")
@json_option
def evaluate(sets: tuple[str, ...], as_json: bool) -> None:
    """Measure highlights on golden SETs, with 95 % intervals, against baselines.

    A SET is `sample`, a folder with a truth.json (docs/evaluation.md), or a folder with public sets that Klip knows.
    Default: the sample and the sets in KLIP_GOLDEN_DIR. Recordings must have been processed (klip demo does that for
    the sample). `klip eval tweets [FOLDER]` compares the sentiment tiers on tweets, using TweetEval from FOLDER or
    KLIP_GOLDEN_DIR; a configured language model is measured too, within its budget. The figures are added to the table
    `evaluations`.
    """
    from klip_assets.evaluation.sets import AnySet, sets_of, tweet_sets_of
    from klip_assets.work.installation import Installation
    from klip_assets.work.measuring import measure_sets

    here = Installation(Settings())
    only_tweets = bool(sets) and sets[0] == TWEETS
    found = tweet_sets_of(sets[1:], here.settings) if only_tweets else sets_of(sets, here.settings)
    chosen: list[AnySet] = [*found]
    measured = measure_sets(here, chosen, f"eval-{uuid.uuid4().hex[:12]}", with_llm=only_tweets)
    if as_json:
        show_rows(measured.rows.to_pylist(), as_json=True)
        return
    for name, figures in measured.figures.items():
        shown = [
            {
                "metric": figure.metric,
                "system": figure.system,
                "value": f"{figure.value:.4g}",
                "95 % interval": "-" if figure.low is None else f"{figure.low:.3f} to {figure.high:.3f}",
                "n": figure.n,
            }
            for figure in figures
        ]
        weights = measured.weights[name]
        show_rows(shown, as_json=False, title=f"{name} ({weights})" if weights else name)
