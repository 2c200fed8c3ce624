"""One request: what is tried again, what is waited for, and where the token goes."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from klip_assets.errors import InputError
from klip_assets.settings import Settings
from klip_assets.sources.x_api.client import MAX_WAIT_S, Client, RequestFailedError, Verdict, checked_address
from klip_assets_tests.sources.x_api.conftest import Fetch
from klip_assets_tests.sources.x_api.fake_x import TOKEN, FakeX, Misdeed, error

PATH, GIVEN = "/tweets/search/recent", {"query": "a", "max_results": "10"}
HTML = Misdeed(content=b"<html>Something went wrong</html>", headers={"content-type": "text/html"})


@pytest.fixture
def client(x: FakeX) -> Iterator[Client]:
    with Client(x.base_url, TOKEN, timeout_s=2.0, sleep=x.sleep, clock=x.clock) as found:
        yield found


@pytest.mark.parametrize(
    "misdeed",
    [error(500), error(503), error(408), HTML, Misdeed(content=b'{"data": ['), Misdeed(content=b"[]"),
     Misdeed(content=b'{"data": [', cut=True), Misdeed(is_silent=True)],
    ids=["500", "503", "408", "html", "half", "list", "cut", "silence"],
)  # fmt: skip
def test_what_may_pass_is_tried_again_after_a_pause(misdeed: Misdeed, x: FakeX, client: Client) -> None:
    x.add(1)
    x.misdeeds = [misdeed, misdeed]
    assert len(client.get("search", PATH, GIVEN).body["data"]) == 1
    assert client.requests == 3
    assert len(x.waited_s) == 2 and 0.5 <= x.waited_s[0] <= 1.5 and 1 <= x.waited_s[1] <= 3


@pytest.mark.parametrize("misdeed", [error(502), HTML, Misdeed(content=b"{", cut=True)], ids=["502", "html", "cut"])
def test_tries_are_bounded(misdeed: Misdeed, x: FakeX, client: Client) -> None:
    x.misdeeds = [misdeed] * 9
    with pytest.raises(RequestFailedError, match="3 tries") as failed:
        client.get("search", PATH, GIVEN)
    assert failed.value.verdict is Verdict.DOWN and client.requests == 3


def test_nobody_there_is_said(x: FakeX) -> None:
    with (
        Client("http://127.0.0.1:9/2", TOKEN, sleep=x.sleep) as client,
        pytest.raises(RequestFailedError, match="ConnectError"),
    ):
        client.get("search", PATH, GIVEN)


def test_an_endpoint_with_no_requests_left_is_waited_for_before_it_refuses(x: FakeX, client: Client) -> None:
    x.left, x.reset = 1, x.clock_s + 20
    client.get("search", PATH, GIVEN)
    client.get("search", PATH, GIVEN)
    assert x.waited_s == [pytest.approx(21)] and client.requests == 2


def test_a_refusal_is_waited_for_if_its_end_is_near(x: FakeX, client: Client) -> None:
    x.left, x.reset = 0, x.clock_s + 30
    client.get("search", PATH, GIVEN)
    assert x.waited_s == [pytest.approx(31)] and client.requests == 2


def test_all_waits_of_a_run_together_are_bounded(x: FakeX, client: Client) -> None:
    for _ in range(2):
        x.left, x.reset = 0, x.clock_s + 25
        client.get("search", PATH, GIVEN)
    x.left, x.reset = 0, x.clock_s + 25
    with pytest.raises(RequestFailedError, match="it resets at") as failed:
        client.get("search", PATH, GIVEN)
    assert failed.value.verdict is Verdict.LIMITED and sum(x.waited_s) <= MAX_WAIT_S


def test_a_refusal_that_never_ends_is_given_up(x: FakeX, client: Client) -> None:
    x.misdeeds = [error(429, x_rate_limit_reset=str(int(x.clock_s + n))) for n in (5, 12, 20)]
    with pytest.raises(RequestFailedError, match="3 tries") as failed:
        client.get("search", PATH, GIVEN)
    assert failed.value.verdict is Verdict.LIMITED


@pytest.mark.parametrize("header", [{}, {"x_rate_limit_reset": "soon"}, {"x_rate_limit_reset": "17"}])
def test_a_refusal_that_does_not_say_until_when_is_not_waited_for(
    header: dict[str, str], x: FakeX, client: Client
) -> None:
    x.misdeeds = [error(429, **header)]
    with pytest.raises(RequestFailedError, match="without a reset time") as failed:
        client.get("search", PATH, GIVEN)
    assert failed.value.verdict is Verdict.LIMITED and x.waited_s == []


def test_posts_of_the_month_that_are_used_up_are_not_waited_for(x: FakeX, client: Client) -> None:
    reset = str(int(x.clock_s + 5))
    x.misdeeds = [error(429, "UsageCapExceeded", "Usage cap exceeded: Monthly product cap", x_rate_limit_reset=reset)]
    with pytest.raises(RequestFailedError, match="used up: UsageCapExceeded") as failed:
        client.get("search", PATH, GIVEN)
    assert failed.value.verdict is Verdict.FORBIDDEN and x.waited_s == []


def test_a_redirect_is_not_followed(x: FakeX, client: Client) -> None:
    x.misdeeds = [Misdeed(302, b"", {"location": "http://127.0.0.1:9/elsewhere"})]
    with pytest.raises(RequestFailedError, match="KLIP_X_BASE_URL"):
        client.get("search", PATH, GIVEN)


@pytest.mark.parametrize(
    "misdeed",
    [
        None,
        error(401, "Unauthorized", f"bad token {TOKEN}"),
        error(403, f"{TOKEN[:9]}***{TOKEN[-6:]} may not"),
        error(429, f"slow down {TOKEN}"),
        error(500, f"failed with Authorization: Bearer {TOKEN}"),
        error(400, "Invalid Request", f"bad header {TOKEN}"),
        Misdeed(content=f"<html>{TOKEN}</html>".encode()),
        Misdeed(content=f'{{"data": [{{"id": "1870000000000000000", "text": "{TOKEN}"}}], "meta": {{}}}}'.encode()),
        Misdeed(content=f'{{"meta": {{}}, "errors": [{{"title": "x", "detail": "{TOKEN}"}}]}}'.encode()),
    ],
    ids=["ok", "401", "403", "429", "500", "400", "html", "post", "reported"],
)
def test_the_token_stands_in_no_message_no_file_and_no_log(
    misdeed: Misdeed | None, x: FakeX, fetch: Fetch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    x.add(1)
    x.misdeeds = [misdeed] * 3
    with caplog.at_level(logging.DEBUG):
        done = fetch()
    assert x.asked[0].headers["authorization"] == f"Bearer {TOKEN}"
    for text in (repr(done), caplog.text):
        assert TOKEN not in text and TOKEN[-6:] not in text
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or TOKEN[-6:].encode() not in path.read_bytes()


def test_settings_do_not_show_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KLIP_X_BEARER_TOKEN", TOKEN)
    settings = Settings()
    assert settings.x_bearer_token is not None and settings.x_bearer_token.get_secret_value() == TOKEN
    assert TOKEN not in repr(settings) + str(settings) + settings.model_dump_json()


@pytest.mark.parametrize("token", ["two words", "line\nbreak", "ключ", ""])
def test_what_can_be_no_token_is_refused_without_being_shown(token: str, x: FakeX) -> None:
    with pytest.raises(InputError, match="KLIP_X_BEARER_TOKEN") as refused:
        Client(x.base_url, token)
    assert not token or token not in str(refused.value)


@pytest.mark.parametrize("address", ["", "api.x.com/2", "ftp://x/2", "https://u:p@x/2", "https://x/2?a=1", "http://[x"])
def test_what_can_be_no_address_is_refused(address: str) -> None:
    with pytest.raises(InputError, match="KLIP_X_BASE_URL"):
        checked_address(address)


def test_the_token_is_sent_over_https_only_save_on_this_machine() -> None:
    with pytest.raises(InputError, match="without https"):
        checked_address("http://api.x.com/2")
    assert checked_address("http://127.0.0.1:8000/2/") == "http://127.0.0.1:8000/2"
    assert checked_address(Settings().x_base_url) == "https://api.x.com/2"
