"""What a person lists, and what is asked for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from klip_assets.errors import InputError
from klip_assets.sources.x_api.sources import SEARCH, TIMELINE, Source, read_sources


def test_queries_are_separated_by_semicolons_and_a_user_alone_is_a_timeline() -> None:
    assert read_sources(" #run  lang:en ; from:Anna;from:@bob ; from:anna #run; ") == [
        Source(SEARCH, "#run lang:en"),
        Source(TIMELINE, "Anna"),
        Source(TIMELINE, "bob"),
        Source(SEARCH, "from:anna #run"),
    ]
    assert read_sources("") == read_sources(" ; ") == []


def test_what_is_listed_twice_is_fetched_once() -> None:
    assert len(read_sources("#run; #run; from:Anna; from:anna")) == 2


@pytest.mark.parametrize(
    ("query", "sent"),
    [
        ("#run", "#run -is:retweet"),
        ("cats OR dogs", "(cats OR dogs) -is:retweet"),
        ("ORwell", "ORwell -is:retweet"),
        ("#run is:retweet", "#run is:retweet"),
        ("#run -is:retweet lang:en", "#run -is:retweet lang:en"),
    ],
)
def test_retweets_are_left_out_of_a_query_that_does_not_speak_of_them(query: str, sent: str) -> None:
    assert Source(SEARCH, query).query == sent
    assert Source(SEARCH, query, retweets=True).query == query


def test_retweets_are_left_out_of_timelines_unless_asked_for() -> None:
    assert Source(TIMELINE, "anna").parameters()["exclude"] == "retweets"
    assert "exclude" not in Source(TIMELINE, "anna", retweets=True).parameters()


def test_a_file_lists_queries_and_users(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_text('[[query]]\nquery = "#a"\nretweets = true\n[[query]]\nquery = "b"\n[[user]]\nname = "@anna"\n')
    assert read_sources(str(file)) == [Source(SEARCH, "#a", True), Source(SEARCH, "b"), Source(TIMELINE, "anna")]


def test_sources_have_folders_of_their_own_that_say_what_they_are() -> None:
    folders = [source.folder for source in read_sources("#run; #run!; 走る; from:run")]
    assert len(set(folders)) == 4
    assert folders[0].startswith("search-run-") and folders[2].startswith("search-query-")
    assert folders[3].startswith("timeline-run-")


@pytest.mark.parametrize(
    ("content", "says_what"),
    [
        ("[[query]]\nretweets = true", "query 1: query is missing"),
        ('[[query]]\nquery = " "', "query 1: query is missing"),
        ('[[query]]\nquery = "a"\n[[query]]\nquery = "b"\nlang = "en"', "query 2: 'lang' is unknown"),
        ('[[query]]\nquery = "a"\nretweets = "no"', "retweets must be true or false"),
        ('[[user]]\nname = "two words"', "'two words' is not a valid X user name"),
        ('[[users]]\nname = "a"', "'users' is unknown"),
        ('[query]\nquery = "a"', "with two brackets"),
        ("[[query]\n", "is not valid TOML"),
        ("", "is empty"),
    ],
)
def test_a_file_that_can_not_be_used_says_where_it_is_wrong(content: str, says_what: str, tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_text(content)
    with pytest.raises(InputError, match=says_what):
        read_sources(str(file))


def test_a_file_that_is_not_there_and_a_name_that_is_none_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.toml can't be read"):
        read_sources(str(tmp_path / "nowhere.toml"))
    with pytest.raises(InputError, match="'an-na' is not a valid X user name"):
        read_sources("from:an-na")
