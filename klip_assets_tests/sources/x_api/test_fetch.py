"""Sweeps: everything once, newest first, on from where the last run came to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from klip_assets.errors import InputError
from klip_assets.formats.refused import Refused
from klip_assets.signals.tweets.readers import read_tweets
from klip_assets.sources.x_api.state import State
from klip_assets_tests.sources.x_api.conftest import Fetch, ids_in, pages_of
from klip_assets_tests.sources.x_api.fake_x import NOW, FakeX, Misdeed, error

QUERY = "search #run -is:retweet"


def test_all_pages_come_and_then_only_what_is_new(x: FakeX, fetch: Fetch, inbox: Path, tmp_path: Path) -> None:
    for minute in range(250):
        x.add(minute)
    done = fetch()
    assert (done.posts, done.pages, done.requests, done.notes, done.problems) == ({QUERY: 250}, 3, 3, [], [])
    assert ids_in(inbox) == sorted(x.ids())
    assert State(tmp_path / "x_posts.json").of(QUERY).since_id == max(x.ids())
    x.clock_s += 900
    new = x.add(-10)
    again = fetch()
    assert again.posts == {QUERY: 1} and again.version != done.version
    assert x.asked[-1].parameters["since_id"] == str(max(x.ids() - {new}))
    assert ids_in(inbox) == sorted(x.ids())
    nothing = fetch()
    assert nothing.posts == {QUERY: 0} and nothing.version == again.version
    assert len(list(inbox.rglob("*.jsonl"))) == 4, "an empty page is no file"


def test_a_page_lands_as_it_came_and_is_read_with_its_names_and_time(x: FakeX, fetch: Fetch, inbox: Path) -> None:
    number = x.add(5, "so good \U0001f600 &amp; fun \ud800", public_metrics={"like_count": 3, "retweet_count": 1})
    fetch()
    (page,) = pages_of(inbox)
    assert page["data"] == x.posts["anna"] and set(page) == {"data", "includes", "meta", "__twarc"}
    (path,) = inbox.rglob("*.jsonl")
    assert path.name == f"{number}-{number}.jsonl" and path.parent.name == "2026-06-14"
    (row,) = read_tweets(path, now=NOW.replace(tzinfo=None))
    assert not isinstance(row, Refused)
    assert (row["tweet_id"], row["author"], row["like_count"]) == (str(number), "anna", 3)
    assert row["observed_at"] == NOW.replace(tzinfo=None)


def test_the_fields_that_tweets_need_are_asked_for(x: FakeX, fetch: Fetch) -> None:
    x.add(1)
    fetch("#run; from:anna")
    search, _, timeline = (asked.parameters for asked in x.asked)
    for parameters in (search, timeline):
        assert {"created_at", "lang", "public_metrics", "note_tweet", "referenced_tweets"} <= set(
            parameters["tweet.fields"].split(",")
        )
        assert (parameters["expansions"], parameters["max_results"]) == ("author_id", "100")


def test_a_timeline_is_found_by_its_name_once_and_followed_by_its_id(x: FakeX, fetch: Fetch, inbox: Path) -> None:
    x.page = 2
    for minute in range(5):
        x.add(minute, user="anna")
        x.add(minute, user="bob")
    done = fetch("from:Anna")
    assert (done.posts, done.requests) == ({"timeline anna": 5}, 4)
    assert ids_in(inbox) == sorted(x.ids("anna"))
    x.add(-1, user="anna")
    assert fetch("from:Anna").requests == 1, "the id is remembered"
    assert ids_in(inbox) == sorted(x.ids("anna"))


def test_a_bound_is_kept_and_the_next_runs_go_on_backwards_and_then_forwards(
    x: FakeX, fetch: Fetch, inbox: Path
) -> None:
    for minute in range(95):
        x.add(minute)
    first = fetch(max_posts=30)
    assert first.posts == {QUERY: 30} and "KLIP_X_MAX_POSTS reached" in first.notes[0]
    assert min(ids_in(inbox)) > sorted(x.ids())[60], "the newest first"
    x.clock_s += 900
    x.add(-5)
    fetch(max_posts=30)
    fetch(max_posts=30)
    assert x.asked[-1].parameters["until_id"]
    fetch(max_posts=30)
    assert ids_in(inbox) == sorted(x.ids()), "nothing is lost and nothing is there twice"
    assert fetch(max_posts=30).posts == {QUERY: 0}


def test_a_bound_smaller_than_a_page_that_can_be_asked_for_asks_nothing(x: FakeX, fetch: Fetch) -> None:
    x.add(1)
    done = fetch(max_posts=9)
    assert done.posts == {} and done.requests == 0 and "next run" in done.notes[0]


def test_who_waited_longest_is_asked_first_so_that_a_bound_starves_none(x: FakeX, fetch: Fetch) -> None:
    for minute in range(40):
        x.add(minute, user="anna")
        x.add(minute, user="bob")
    first = fetch("from:anna; from:bob", max_posts=20)
    x.clock_s += 900
    second = fetch("from:anna; from:bob", max_posts=20)
    assert [first.posts, second.posts] == [{"timeline anna": 20}, {"timeline bob": 20}]


def test_a_since_id_older_than_the_search_becomes_a_time_and_that_is_said(x: FakeX, fetch: Fetch, inbox: Path) -> None:
    x.add(1)
    fetch()
    x.clock_s += 10 * 86400
    lost, found = x.add(-2 * 1440), x.add(-9 * 1440)
    done = fetch()
    assert done.problems == [] and "search covers only the last 7 days" in done.notes[0]
    assert x.asked[-1].parameters["start_time"] == "2026-06-17T12:05:00Z" and "since_id" not in x.asked[-1].parameters
    assert found in ids_in(inbox) and lost not in ids_in(inbox)
    assert fetch().notes == []


def test_a_refusal_that_names_the_since_id_only_in_words_is_understood(x: FakeX, fetch: Fetch) -> None:
    x.add(1)
    fetch()
    words = (
        "'since_id' must be a tweet id created after 2026-06-07T12:00Z. Please use a 'since_id' that is larger than 1"
    )
    x.misdeeds = [Misdeed(400, json.dumps({"errors": [{"message": words}]}).encode())]
    done = fetch()
    assert done.problems == [] and "7 days" in done.notes[0] and "start_time" in x.asked[-1].parameters


def test_a_since_id_that_is_too_old_with_nothing_new_is_refused_only_once(x: FakeX, fetch: Fetch) -> None:
    x.add(1)
    fetch()
    x.clock_s += 10 * 86400
    assert len(fetch().notes) == 1
    assert (fetch().notes, fetch().problems) == ([], [])


def test_the_old_part_of_a_sweep_is_fetched_by_time_where_its_ids_are_too_old(
    x: FakeX, fetch: Fetch, inbox: Path
) -> None:
    for hour in range(40):
        x.add(60 * hour)
    first = x.add(60 * 100)
    fetch()
    x.clock_s += 86400 * 3.5
    new = [x.add(-86400 * 3.5 / 60 + minute) for minute in range(30)]
    fetch(max_posts=10)
    x.clock_s += 86400 * 3.6
    done = fetch()
    assert "7 days" in done.notes[0] and set(new) <= set(ids_in(inbox)) and first in ids_in(inbox)
    assert len(ids_in(inbox)) <= len(x.ids()) + 1, "of the second at the seam, posts may come again"


def test_an_old_part_out_of_reach_is_given_up_and_said(x: FakeX, fetch: Fetch, inbox: Path) -> None:
    for minute in range(30):
        x.add(minute)
    fetch(max_posts=10)
    x.clock_s += 20 * 86400
    new = x.add(-19 * 1440)
    done = fetch()
    assert "the rest can no longer be fetched" in done.notes[0]
    assert new in ids_in(inbox) and len(ids_in(inbox)) == 11


def test_errors_beside_posts_are_kept_with_them_and_said(x: FakeX, fetch: Fetch, inbox: Path) -> None:
    x.add(1)
    x.reported = [{"title": "Authorization Error", "detail": "Sorry, you may not see this", "resource_id": "9"}]
    done = fetch()
    assert "Authorization Error: Sorry, you may not see this" in done.notes[0] and done.problems == []
    assert pages_of(inbox)[0]["errors"] == x.reported


def test_pages_without_posts_are_passed_over_but_not_for_ever(x: FakeX, fetch: Fetch, inbox: Path) -> None:
    x.add(1)
    x.empty_first = 3
    assert fetch().posts == {QUERY: 1}
    x.empty_first = 10_000
    done = fetch("other")
    assert done.requests == 10 and "keeps sending the same or empty pages" in done.notes[0]


def test_an_unknown_user_is_named_and_the_others_are_fetched(x: FakeX, fetch: Fetch) -> None:
    x.add(1, user="anna")
    done = fetch("from:nobody; from:anna")
    assert done.posts["timeline anna"] == 1
    assert len(done.problems) == 1 and "Could not find user with username: [nobody]" in done.problems[0]


def test_a_query_that_is_refused_is_named_with_the_reason_and_the_others_are_fetched(x: FakeX, fetch: Fetch) -> None:
    x.add(1)
    x.misdeeds = [error(400, "Invalid Request", "missing EOF at ')'")]
    done = fetch("bad); good")
    assert done.posts == {"search bad) -is:retweet": 0, "search good -is:retweet": 1}
    assert "bad)" in done.problems[0] and "missing EOF" in done.problems[0]


@pytest.mark.parametrize("status", [401, 402, 403])
def test_a_refused_token_ends_the_run_at_once(x: FakeX, fetch: Fetch, status: int) -> None:
    x.misdeeds = [error(status, "Forbidden")] * 9
    done = fetch("a; b; c")
    assert done.requests == 1 and len(done.problems) == 1 and str(status) in done.problems[0]


def test_what_was_fetched_before_the_api_went_down_stays_and_the_next_run_goes_on(
    x: FakeX, fetch: Fetch, inbox: Path
) -> None:
    for minute in range(250):
        x.add(minute)
    x.misdeeds = [None, *[error(503)] * 3]
    done = fetch("#run; other")
    assert done.posts == {QUERY: 100} and "503" in done.problems[0]
    assert fetch().posts == {QUERY: 150}
    assert ids_in(inbox) == sorted(x.ids())


def test_a_rate_limit_far_off_ends_this_endpoint_and_not_the_others(x: FakeX, fetch: Fetch) -> None:
    x.add(1)
    x.misdeeds = [error(429, "Too Many Requests", x_rate_limit_reset=str(int(x.clock_s + 600)))]
    done = fetch("a; b; from:anna")
    assert done.posts == {"search a -is:retweet": 0, "search b -is:retweet": 0, "timeline anna": 1}
    assert done.problems == [] and "resets at 12:10 UTC; the next run continues" in done.notes[0]
    assert [asked.path for asked in x.asked] == [
        "/2/tweets/search/recent", "/2/users/by/username/anna", "/2/users/100/tweets"
    ]  # fmt: skip


def test_an_answer_that_is_not_a_page_is_a_problem_and_no_file(x: FakeX, fetch: Fetch, inbox: Path) -> None:
    for content in (b'{"data": "x"}', b'{"data": [{"text": "no id"}]}', b'{"data": [7]}'):
        x.misdeeds = [Misdeed(content=content)]
        assert len(fetch().problems) == 1
    assert not list(inbox.rglob("*.jsonl"))


def test_a_memory_that_can_not_be_read_is_named_with_what_to_do(fetch: Fetch, tmp_path: Path) -> None:
    for content in ("{", "[]", '{"sources": {"a": {"since_id": "x"}}}', '{"sources": {"a": {"since_id": -1}}}'):
        (tmp_path / "x_posts.json").write_text(content)
        with pytest.raises(InputError, match=r"x_posts\.json can't be read.*move it away"):
            fetch()
    (tmp_path / "x_posts.json").write_text(json.dumps({"sources": {"a": {"since_id": 5, "of a later version": 1}}}))
    assert State(tmp_path / "x_posts.json").of("a").since_id == 5
