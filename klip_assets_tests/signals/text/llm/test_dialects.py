"""How a model is to be asked is found out once and remembered."""

from __future__ import annotations

from collections.abc import Callable

from klip_assets.signals.text.item import Item
from klip_assets.signals.text.llm.reader import LlmTier
from klip_assets_tests.signals.text.llm.fake_llm import Asked, FakeLlm, Reply, answers, error

Make = Callable[..., LlmTier]
TEXTS = [Item(f"text {number}") for number in range(12)]


def kind(asked: Asked) -> str:
    return str(asked.body.get("response_format", {}).get("type", "text"))


def test_a_server_that_takes_a_schema_gets_one_with_every_field(llm: FakeLlm, tier: Make) -> None:
    tier("first").read(TEXTS[:1])
    (asked,) = llm.asked
    schema = asked.body["response_format"]["json_schema"]
    assert schema["strict"] is True and len(schema["schema"]["required"]) == 11
    assert (asked.body["temperature"], asked.body["max_tokens"]) == (0, 400)
    assert isinstance(asked.body["seed"], int)


def test_a_server_without_schemas_is_asked_for_json_and_one_without_that_for_text(llm: FakeLlm, tier: Make) -> None:
    takes = {"json": ("json_object", "text"), "plain": ("text",)}
    llm.reply = lambda asked: (
        answers()
        if kind(asked) in takes[asked.model]
        else error(400, f"response_format {kind(asked)} is not supported")
    )
    for model, refused in (("json", 1), ("plain", 2)):
        llm.asked.clear()
        assert {reading.status for reading in tier(model).read(TEXTS)} == {"ok"}
        assert len(llm.asked) == len(TEXTS) + refused, "only the first text finds out"
        llm.asked.clear()
        tier(model).read([Item("a new text"), TEXTS[0]])
        assert [kind(asked) for asked in llm.asked] == [takes[model][0]], (
            "the next run knows, and the cache still holds"
        )


def test_parameters_a_server_does_not_take_are_left_out(llm: FakeLlm, tier: Make) -> None:
    def choose(asked: Asked) -> Reply:
        if "max_tokens" in asked.body:
            return error(400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.")
        if "temperature" in asked.body:
            return error(400, "Unsupported value: 'temperature' does not support 0 with this model.")
        if "seed" in asked.body:
            return error(422, "extra field: seed")
        return answers()

    llm.reply = choose
    assert {reading.status for reading in tier("first").read(TEXTS)} == {"ok"}
    assert len(llm.asked) == len(TEXTS) + 3
    assert llm.asked[-1].body["max_completion_tokens"] == 400
    assert kind(llm.asked[-1]) == "json_schema"


def test_a_text_that_is_refused_by_itself_does_not_change_how_others_are_asked(llm: FakeLlm, tier: Make) -> None:
    llm.reply = lambda asked: error(400, "too long") if asked.data["transcript"] == "text 5" else answers()
    readings = tier("first").read(TEXTS)
    assert [reading.status for reading in readings] == ["ok"] * 5 + ["failed"] + ["ok"] * 6
    assert {kind(asked) for asked in llm.asked} == {"json_schema"}
    assert len(llm.asked) == len(TEXTS)


def test_a_server_that_refuses_everything_is_left_alone(llm: FakeLlm, tier: Make) -> None:
    llm.reply = lambda _: error(400, "no")
    assert {reading.status for reading in tier("first").read(TEXTS)} == {"failed"}
    assert len(llm.asked) < 12
