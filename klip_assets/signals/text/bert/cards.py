"""What the cards of well-known models say besides their labels: languages, and how a text is to be written for them."""

from __future__ import annotations

#: Of a model that nobody declared: most classifiers of the hub are made for English.
ENGLISH = frozenset({"en"})

#: Part of the name -> languages it was tuned or taught on, from its card. The first that fits counts.
_LANGUAGES = (
    # cardiffnlp: UMSAB, eight languages (Barbieri et al., 2022).
    ("twitter-xlm-roberta", frozenset({"ar", "de", "en", "es", "fr", "hi", "it", "pt"})),
    # lxyuan: twelve languages.
    (
        "distilbert-base-multilingual-cased-sentiments-student",
        frozenset({"ar", "de", "en", "es", "fr", "hi", "id", "it", "ja", "ms", "pt", "zh"}),
    ),
)

#: Parts of names of models that were taught on tweets with `@user` and `http` for mentions and links.
_WITHOUT_NAMES = ("twitter-roberta", "twitter-xlm-roberta")


def languages_of(model: str) -> frozenset[str]:
    """Return the languages that a model reads (ISO 639-1); English where nobody declared them."""
    return next((languages for part, languages in _LANGUAGES if part in model.lower()), ENGLISH)


def written_for(model: str, text: str) -> str:
    """Return a text as a model was taught to read it; as it is where its card asks for nothing.

    For cardiffnlp's models of tweets, word by word as their cards show it: what begins with @ becomes `@user`, what
    begins with http becomes `http`.
    """
    if not any(part in model.lower() for part in _WITHOUT_NAMES):
        return text
    words = ("@user" if word.startswith("@") and len(word) > 1 else word for word in text.split(" "))
    return " ".join("http" if word.startswith("http") else word for word in words)
