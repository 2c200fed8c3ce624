from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from klip_assets.signals.text.bert.batches import batches, windows


@given(st.lists(st.integers(0, 700)), st.integers(1, 1000))
def test_every_text_is_in_one_batch_and_no_batch_is_above_the_budget(lengths: list[int], budget: int) -> None:
    made = list(batches(lengths, budget))
    assert sorted(place for batch in made for place in batch) == list(range(len(lengths)))
    for batch in made:
        assert batch
        assert len(batch) == 1 or len(batch) * max(lengths[place] for place in batch) <= budget


@given(st.lists(st.integers(1, 30)), st.integers(1, 100))
def test_batches_of_equal_lengths_need_no_padding_and_hold_every_text(lengths: list[int], budget: int) -> None:
    made = list(batches(lengths, budget, equal=True))
    assert sorted(place for batch in made for place in batch) == list(range(len(lengths)))
    for batch in made:
        assert len({lengths[place] for place in batch}) == 1
        assert len(batch) == 1 or len(batch) * lengths[batch[0]] <= budget


@given(st.lists(st.integers()), st.integers(1, 50))
def test_windows_lose_and_double_no_token_and_are_of_like_length(tokens: list[int], most: int) -> None:
    made = windows(tokens, most)
    assert [token for window in made for token in window] == tokens
    assert len(made) == max(1, -(-len(tokens) // most))
    lengths = [len(window) for window in made]
    assert max(lengths) <= most and max(lengths) - min(lengths) <= 1
