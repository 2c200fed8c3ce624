"""Small encoders with made weights: real files of Hugging Face's formats, so that the real libraries load them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

_WORDS = (
    "[PAD] [UNK] [CLS] [SEP] [MASK] . , ! ? @ ' a i we you he it the this that is was are not no so oh what "
    "love hate great awful win lose happy sad angry fun play game team stream map door boss level song day "
    "night good bad terrible wonderful best worst user http face with tears of joy ##s ##ed ##ing ##ly"
)
WORDS = _WORDS.split()
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
VOCABULARY = [*WORDS, *LETTERS[1:], *(f"##{letter}" for letter in LETTERS)]

SENTIMENT = ("negative", "neutral", "positive")
EKMAN = ("anger", "disgust", "fear", "joy", "neutral", "sadness", "surprise")


def make_encoder(
    folder: Path, labels: Sequence[str] = (), *, many: bool = False, seed: int = 0, size: int = 32
) -> Path:
    """Write a BERT of two layers; with labels, a classifier."""
    import torch
    from tokenizers import BertWordPieceTokenizer
    from transformers import BertConfig, BertForSequenceClassification, BertModel, PreTrainedTokenizerFast

    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=len(VOCABULARY),
        hidden_size=size,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=2 * size,
        max_position_embeddings=64,
        initializer_range=0.1,
        **({"id2label": dict(enumerate(labels)), "label2id": {n: i for i, n in enumerate(labels)}} if labels else {}),
    )
    if many:
        config.problem_type = "multi_label_classification"
    network = BertForSequenceClassification(config) if labels else BertModel(config)
    if labels:
        # Made weights are all of one opinion; these are not.
        torch.nn.init.normal_(network.classifier.weight, std=3.0)
    folder.mkdir(parents=True, exist_ok=True)
    network.save_pretrained(folder)
    words = BertWordPieceTokenizer(vocab={word: place for place, word in enumerate(VOCABULARY)}, lowercase=True)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=words._tokenizer,
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        pad_token="[PAD]",
        mask_token="[MASK]",
        model_max_length=64,
    )
    tokenizer.save_pretrained(folder)
    return folder


def relabel(folder: Path, labels: Sequence[str]) -> Path:
    """Give a classifier other labels."""
    path = folder / "config.json"
    config = json.loads(path.read_text())
    config["id2label"] = {str(place): label for place, label in enumerate(labels)}
    config["label2id"] = {label: place for place, label in enumerate(labels)}
    path.write_text(json.dumps(config))
    return folder
