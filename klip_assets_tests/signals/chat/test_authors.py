from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from klip_assets.signals.chat.authors import author_hashes


@given(st.text(max_size=30), st.text(max_size=30))
def test_one_author_is_always_the_same_sixteen_digits_and_another_one_others(one: str, other: str) -> None:
    hashed = author_hashes(b"s" * 32)
    assert hashed(one) == author_hashes(b"s" * 32)(one)
    assert len(hashed(one)) == 16 and set(hashed(one)) <= set("0123456789abcdef")
    assert (hashed(one) == hashed(other)) == (one == other)
    assert hashed(one) != author_hashes(b"t" * 32)(one)


def test_the_hash_is_hmac_sha256() -> None:
    # RFC 4231, test case 2.
    assert author_hashes(b"Jefe")("what do ya want for nothing?") == "5bdcc146bf60754e"
