"""What model cards say besides labels: languages, and how texts must be preprocessed."""

from __future__ import annotations

#: Default for models not listed here: most classifiers on the hub are for English.
ENGLISH = frozenset({"en"})

#: Part of the name -> languages it was trained on, from its card. The first match counts.
_LANGUAGES = (
    # cardiffnlp: UMSAB, eight languages (Barbieri et al., 2022).
    ("twitter-xlm-roberta", frozenset({"ar", "de", "en", "es", "fr", "hi", "it", "pt"})),
    # lxyuan: twelve languages.
    (
        "distilbert-base-multilingual-cased-sentiments-student",
        frozenset({"ar", "de", "en", "es", "fr", "hi", "id", "it", "ja", "ms", "pt", "zh"}),
    ),
)

#: Parts of names of models trained on tweets with `@user` and `http` for mentions and links.
_WITHOUT_NAMES = ("twitter-roberta", "twitter-xlm-roberta")


def languages_of(model: str) -> frozenset[str]:
    """Return the languages that a model reads (ISO 639-1); English for models not listed here."""
    return next((languages for part, languages in _LANGUAGES if part in model.lower()), ENGLISH)


def written_for(model: str, text: str) -> str:
    """Return a text preprocessed as in a model's training; unchanged where its card asks for nothing.

    For cardiffnlp's tweet models, word by word as in their cards: words that start with @ become `@user`, words that
    start with http become `http`.
    """
    if not any(part in model.lower() for part in _WITHOUT_NAMES):
        return text
    words = ("@user" if word.startswith("@") and len(word) > 1 else word for word in text.split(" "))
    return " ".join("http" if word.startswith("http") else word for word in words)
