"""Speed of text models: a DistilBERT-size model run by Klip and by the transformers pipeline, and the compact one.

    python benchmarks/text_models.py [--texts 2000] [--ways one int8 compact]

The DistilBERT has random weights (66 M of them), so its results mean nothing; its speed is that of a real one. Texts
have 25 tokens on average, like tweets. Each way runs in a separate process, and they take turns: texts per second, CPU
time, peak memory.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from record import keep, table
from tokenizers import Tokenizer

from klip_assets.signals.text.bert.compact import SHIPPED
from klip_assets_tests.made import REPOSITORY

#: Name of a way, its key below, share of the texts it reads.
WAYS = (
    ("pipeline, one text at a time", "one", 1 / 8),
    ("pipeline, batches of 50 in order", "fifty", 1 / 8),
    ("Klip, float32", "float32", 1 / 2),
    ("Klip, bfloat16", "bfloat16", 1 / 4),
    ("Klip, int8", "int8", 1),
    ("Klip, compact model", "compact", 1),
)


def main() -> None:
    """Time each way and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3, help="number of rounds")
    parser.add_argument("--layers", type=int, default=6, help="layers of the DistilBERT; a real one has 6")
    names = [way for _, way, _ in WAYS]
    parser.add_argument("--ways", nargs="+", choices=names, default=names, help="ways to time; `one` is always timed")
    parser.add_argument(
        "--together",
        action="store_true",
        help="make the model in the process of `one`: its memory is no figure",
    )
    arguments = parser.parse_args()
    ways = [way for way in WAYS if way[1] in {"one", *arguments.ways}]
    made = [text(number) for number in range(arguments.texts)]
    found: dict[str, list[dict[str, float]]] = {way: [] for _, way, _ in ways}
    with tempfile.TemporaryDirectory(prefix="klip-text-") as folder:
        texts = Path(folder) / "texts.json"
        texts.write_text(json.dumps(made))
        made_by = {"LAYERS": str(arguments.layers), "INT8": "1" if "int8" in arguments.ways else ""}
        if not arguments.together:
            run(MAKE, folder, texts, **made_by)
        for number in range(arguments.rounds):
            for _, way, share in ways:
                code = COMPACT if way == "compact" else READ
                if arguments.together and way == "one" and number == 0:
                    code = MAKE + READ
                found[way].append(run(code, folder, texts, WAY=way, SHARE=str(share), **made_by))
    rows = [{"way": name, **shown(found[way], found["one"])} for name, way, _ in ways]
    table(rows)
    tokens = mean_tokens(made)
    print(f"medians of {arguments.rounds}; {arguments.texts:,} texts of {tokens:.1f} tokens on average")
    keep("text_models", rows=rows, tokens=tokens)


def mean_tokens(texts: list[str]) -> float:
    """Return the mean number of tokens per text, including begin and end tokens."""
    tokenizer = Tokenizer.from_file(str(SHIPPED / "tokenizer.json"))
    return sum(len(tokenizer.encode(text).ids) for text in texts) / len(texts)


def text(number: int) -> str:
    """Return a text, on average 25 tokens with begin and end; as with tweets, most are shorter and some much longer."""
    order = random.Random(number)
    count = max(2, min(70, round(order.lognormvariate(2.98, 0.6))))
    return " ".join(order.choice(WORDS) for _ in range(count))


def run(code: str, folder: str, texts: Path, **environment: str) -> dict[str, float]:
    """Run code in a separate process; return the last line it prints."""
    done = subprocess.run(
        [sys.executable, "-c", FRAME.replace("# CODE", code), folder, str(texts)], cwd=REPOSITORY, check=True,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=os.environ | environment,
    )  # fmt: skip
    return dict(json.loads(done.stdout.splitlines()[-1]))


def shown(rounds: list[dict[str, float]], one: list[dict[str, float]]) -> dict[str, object]:
    """Return the figures of a way as a row: medians over the rounds, each compared with that round's pipeline."""
    rates = [figures["texts"] / figures["wall_s"] for figures in rounds]
    ratios = [rate * figures["wall_s"] / figures["texts"] for rate, figures in zip(rates, one, strict=True)]
    return {
        "texts per second": round(median(rates), 1),
        "CPU ms per text": round(median(1000 * figures["cpu_s"] / figures["texts"] for figures in rounds), 2),
        "peak memory": f"{max(figures['peak_mb'] for figures in rounds):.0f} MB",
        "ratio": median(ratios),
    }


_WORDS = (
    "the a to and of in is it you that i for on was with my this have so but be not are at we like just what when game "
    "play stream team win lose great love hate boss level map watch tonight live chat clip wow insane clutch lag patch "
    "update server friend music song weekend coffee tomorrow finally never always really people thanks awesome terrible"
)
WORDS = _WORDS.split()

# Loading the model and a warm-up are not timed: a run pays for them once.
FRAME = """
import json, os, re, sys, time
from pathlib import Path
folder, texts = Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text())
texts = texts[:int(len(texts) * float(os.environ.get("SHARE", "1")))]
read = None
# CODE
if read:
    read(texts[:20])
    began, used = time.perf_counter(), time.process_time()
    read(texts)
    wall_s, cpu_s = time.perf_counter() - began, time.process_time() - used
    peak_mb = int(re.findall(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[0]) / 1024
    print(json.dumps({"wall_s": wall_s, "cpu_s": cpu_s, "peak_mb": peak_mb, "texts": len(texts)}))
else:
    print("{}")
"""
MAKE = """
from transformers import DistilBertConfig, DistilBertForSequenceClassification, PreTrainedTokenizerFast
from klip_assets.signals.text.bert import hub, quantized
from klip_assets.signals.text.bert.compact import SHIPPED
labels = {0: "NEGATIVE", 1: "POSITIVE"}
config = DistilBertConfig(
    id2label=labels, label2id={v: k for k, v in labels.items()}, n_layers=int(os.environ["LAYERS"])
)
DistilBertForSequenceClassification(config).save_pretrained(folder / "model")
# The compact model's has the vocabulary of BERT, as DistilBERT's own.
PreTrainedTokenizerFast(
    tokenizer_file=str(SHIPPED / "tokenizer.json"), model_max_length=512,
    model_input_names=["input_ids", "attention_mask"],
    unk_token="[UNK]", sep_token="[SEP]", pad_token="[PAD]", cls_token="[CLS]", mask_token="[MASK]",
).save_pretrained(folder / "model")
loaded = hub.load(str(folder / "model"))
quantized.ENOUGH = 0.0
if os.environ["INT8"]:
    quantized.int8_runner(loaded, hub.folder_for(folder, loaded))
"""
READ = """
from klip_assets.signals.text.bert import hub, quantized
from klip_assets.signals.text.bert.batches import BUDGET_TOKENS, processors
loaded = hub.load(str(folder / "model"))
way = os.environ["WAY"]
if way in ("one", "fifty"):
    from transformers import pipeline
    classify = pipeline("text-classification", model=loaded.network, tokenizer=loaded.tokenizer)
    def read(texts):
        if way == "fifty":
            classify(texts, batch_size=50)
            return
        for text in texts:
            classify([text])
else:
    if way == "int8":
        runner, _ = quantized.int8_runner(loaded, hub.folder_for(folder, loaded))
    else:
        runner = hub.torch_runner(loaded, "cpu", way)
    def read(texts):
        if way == "int8":
            loaded.probabilities(texts, runner, BUDGET_TOKENS, workers=processors())
        else:
            loaded.probabilities(texts, runner, BUDGET_TOKENS)
"""
COMPACT = """
from klip_assets.signals.text.bert.compact import CompactModel
read = CompactModel().read
"""

if __name__ == "__main__":
    main()
