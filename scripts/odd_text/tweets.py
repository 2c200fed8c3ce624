"""Tweets with odd counts, cut texts, odd tables, authors in two ways, links and notices."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import Any

from odd_text.case import Judge, Odd, Outcome

#: The first id of 2024-02-28; each input has ids, and so texts, of its own.
_IDS = count(1_762_628_400_000_000_000, 4_194_304_000)

Tweet = dict[str, Any]
Rows = list[tuple[Any, ...]]


def cases() -> Iterator[Odd]:
    """Yield the inputs."""
    kinds = (
        _table_counts,
        _json_counts,
        _dots,
        _optional,
        _cut,
        _elsewhere,
        _separators,
        _people,
        _ids,
        _links,
        _notices,
    )
    for inputs in kinds:
        yield from inputs()


def new_id() -> str:
    """Return an id that no other input has."""
    return str(next(_IDS))


def odd(kind: str, name: str, judge: Judge, **files: bytes) -> Odd:
    """Return an input of tweet files: ending -> content; the dots of endings are written as underscores."""
    named = {f"{name}.{ending.replace('_', '.')}": content for ending, content in files.items()}
    return Odd(kind, name, judge, named, inbox="tweets", seconds=None)


def lines(*tweets: Tweet) -> bytes:
    """Return a file with an object per line."""
    return "".join(json.dumps(tweet) + "\n" for tweet in tweets).encode()


def table(*rows: Sequence[str], sep: str = ";") -> bytes:
    """Return rows of a table; fields are not quoted."""
    return "".join(sep.join(row) + "\n" for row in rows).encode()


def values(column: str, allowed: Mapping[str, Sequence[object]]) -> Judge:
    """Judge that each tweet is published, with one of the allowed values in a column."""

    def judge(outcome: Outcome) -> list[str]:
        wrong = []
        for tweet_id, right in allowed.items():
            rows = outcome.rows(f"SELECT {column} FROM tweets WHERE tweet_id = ?", tweet_id)  # noqa: S608
            if len(rows) != 1:
                wrong.append(f"{tweet_id} is lost")
            elif rows[0][0] not in right:
                wrong.append(f"{column} is {rows[0][0]!r}, not {right[0]!r}")
        return wrong

    return judge


def texts(right: Mapping[str, str]) -> Judge:
    """Judge the texts of tweets."""
    return values("text", {tweet_id: [text] for tweet_id, text in right.items()})


def selects(sql: str, right: Rows) -> Judge:
    """Judge the rows of a query."""

    def judge(outcome: Outcome) -> list[str]:
        found = outcome.rows(sql)
        return [] if found == right else [f"{found}, not {right}"]

    return judge


SPELLINGS: dict[str, tuple[object, ...]] = {
    "1.2K": (1200,), "3M": (3_000_000,), "1,234": (1234,), "2 571": (2571, None), "2\u00a0571": (2571, None),
    "2\u202f571": (2571, None), "2\u2009571": (2571, None), "-1": (None,), "12万": (120_000, None), "1,2 K": (1200, None),
    "6.5k": (6500,), "—": (None,), "999+": (999, None), "12.0": (12,), "1'234": (1234, None), "1’234": (1234, None),
    "1.5 Mio": (1_500_000, None), "3,4 тыс.": (3400, None), "١٢٣": (123, None), "१२३": (123, None), "1e3": (1000, None),
    "12,34,567": (1_234_567, None), "1.25B": (1_250_000_000, None), "true": (None,), "12.5": (None,), "NaN": (None,),
    "99999999999999999999999": (None,), "n/a": (None,), "#VALUE!": (None,), "{'count': 5}": (None, 5), "~5K": (5000, None),
    "5 likes": (5, None),
}  # fmt: skip


def _table_counts() -> Iterator[Odd]:
    for n, (spelling, right) in enumerate(SPELLINGS.items()):
        plain, own = new_id(), new_id()
        content = table(("tweet_id", "text", "likes"), (plain, "a fine day", "7"), (own, "a finer day", spelling))
        yield odd("counts in CSV", f"count-{n}", values("like_count", {plain: (7,), own: right}), csv=content)
    for n, column in enumerate(("retweets", "replies", "quote_count", "views")):
        name = {"retweets": "retweet_count", "replies": "reply_count", "views": "impression_count"}.get(column, column)
        ids = [new_id() for _ in range(3)]
        rows = [(tweet_id, "a fine day", value) for tweet_id, value in zip(ids, ("1.2K", "-1", "—"), strict=True)]
        right = dict(zip(ids, [(1200,), (None,), (None,)], strict=True))
        yield odd("counts in CSV", f"count-of-{n}", values(name, right), csv=table(("tweet_id", "text", column), *rows))


def _json_counts() -> Iterator[Odd]:
    spellings: list[tuple[object, tuple[object, ...]]] = [
        ("1.2K", (1200,)), ("-1", (None,)), (-1, (None,)), ("2\u00a0571", (2571, None)), (12.5, (None,)), (True, (None,)),
        ("", (None,)), ("1e3", (1000, None)), ("nil", (None,)), (12.0, (12,)), (10**25, (None,)), ({"count": 3}, (None, 3)),
        ([4], (None, 4)), ("1.234", (1234, None)), ("3,4 тыс.", (3400, None)),
    ]  # fmt: skip
    for n, (spelling, right) in enumerate(spellings):
        v2, old, scraped = new_id(), new_id(), new_id()
        content = lines(
            {"id": v2, "text": "a fine day", "public_metrics": {"like_count": spelling, "retweet_count": 0}},
            {"id_str": old, "full_text": "a fine day", "favorite_count": spelling, "user": {"screen_name": "ann"}},
            {"id": int(scraped), "rawContent": "a fine day", "likeCount": spelling},
        )
        yield odd(
            "counts in JSON",
            f"metric-{n}",
            values("like_count", dict.fromkeys((v2, old, scraped), right)),
            jsonl=content,
        )


def _dots() -> Iterator[Odd]:
    columns = {
        "plain": {"25.000": (25_000, None), "1.000": (1000, None), "1.234": (1234, None)},
        "millions": {"1.234.567": (1_234_567, None), "2.000": (2000, None)},
        "commas": {"25,000": (25_000,), "1,000": (1000,)},
        "spaces": {"25 000": (25_000, None), "1 000": (1000, None)},
        "beside-decimals": {"25.000": (25_000, 25, None), "12.0": (12,), "3.5": (None,)},
        "beside-small": {"25.000": (25_000, None), "999": (999,), "7": (7,)},
        "with-decimals": {"1.234,00": (1234, None), "25.000": (25_000, None)},
    }
    for name, column in columns.items():
        right = {new_id(): (spelling, allowed) for spelling, allowed in column.items()}
        rows = [(tweet_id, "a fine day", spelling) for tweet_id, (spelling, _) in right.items()]
        judge = values("like_count", {tweet_id: allowed for tweet_id, (_, allowed) in right.items()})
        yield odd("dots between thousands", f"dots-{name}", judge, csv=table(("tweet_id", "text", "likes"), *rows))


def _optional() -> Iterator[Odd]:
    kind = "other optional values"
    for name, odd_value in {
        "author_id": "1.2E+10", "lang": "???", "conversation_id": "none of them", "in_reply_to_status_id": "1.7E+18",
        "retweet_id": "-", "is_retweet": "perhaps", "retrieved_at": "yesterday", "url": "http://", "username": "#NAME?",
        "created_at": "a while ago",
    }.items():  # fmt: skip
        own = new_id()
        content = table(("tweet_id", "text", name), (own, "still here", odd_value))
        yield odd(kind, f"optional-{name.replace('_', '-')}", texts({own: "still here"}), csv=content)
    for name, fields in {
        "errors": {"errors": []}, "deleted": {"deleted_at": None}, "data": {"data": None}, "user": {"user": [], "author": 7},
        "lists": {"entities": {"hashtags": {"a": 1}, "urls": 3}}, "history": {"edit_history_tweet_ids": ["x", None]},
        "references": {"referenced_tweets": [None, {"type": ["a"], "id": {}}]}, "note": {"note_tweet": {"text": None}},
    }.items():  # fmt: skip
        own = new_id()
        yield odd(
            kind, f"field-{name}", texts({own: "still here"}), jsonl=lines({"id": own, "text": "still here", **fields})
        )
    own = new_id()
    content = table(("id", "text", "note_tweet.text"), (own, "still here", ""))
    yield odd(kind, "field-note-column", texts({own: "still here"}), csv=content)


def _long(of: str) -> str:
    return f"{of} " * 12 + "and only at its very end does it say what matters: I love it, thank you all so much"


def _cut() -> Iterator[Odd]:
    kind = "cut texts"
    users = [{"id": "11", "username": "fan"}, {"id": "12", "username": "maker"}]

    def retweet(of: str, **more: object) -> tuple[Tweet, str, str, str]:
        whole, first, own = _long(of), new_id(), new_id()
        tweet = {"id": own, "text": f"RT @maker: {whole[:100]}…", "author_id": "11",
                 "referenced_tweets": [{"type": "retweeted", "id": first, **more}]}  # fmt: skip
        return tweet, first, own, whole

    tweet, first, own, whole = retweet("a page")
    page = {"data": [tweet], "includes": {"tweets": [{"id": first, "text": whole, "author_id": "12"}], "users": users}}
    yield odd(kind, "cut-page", texts({own: f"RT @maker: {whole}"}), json=json.dumps(page).encode())
    tweet, first, own, whole = retweet("a flat one")
    tweet["referenced_tweets"][0] |= {"text": whole, "author": users[1]}
    yield odd(kind, "cut-flattened", texts({own: f"RT @maker: {whole}"}), jsonl=lines(tweet))
    tweet, first, own, whole = retweet("a note")
    included = {"id": first, "text": whole[:120] + "…", "note_tweet": {"text": whole}, "author_id": "12"}
    page = {"data": [tweet], "includes": {"tweets": [included], "users": users}}
    yield odd(kind, "cut-note", texts({own: f"RT @maker: {whole}"}), jsonl=lines(page, {"data": [], "meta": {}}))
    tweet, first, own, whole = retweet("a flat note")
    tweet["referenced_tweets"][0] |= {"text": whole[:120] + "…", "note_tweet": {"text": whole}, "author": users[1]}
    yield odd(kind, "cut-flat-note", texts({own: f"RT @maker: {whole}"}), jsonl=lines(tweet, tweet))
    own, whole = new_id(), _long("an old one")
    old: Tweet = {"id_str": own, "text": f"RT @maker: {whole[:80]}…", "user": {"screen_name": "fan"}, "retweeted_status": {
        "id_str": new_id(), "full_text": whole, "user": {"screen_name": "maker"}}}  # fmt: skip
    yield odd(kind, "cut-old", texts({own: f"RT @maker: {whole}"}), jsonl=lines(old))
    own, whole = new_id(), _long("an extended one")
    old = {"id_str": own, "text": whole[:80] + "…", "truncated": True, "extended_tweet": {"full_text": whole}}
    yield odd(kind, "cut-extended", texts({own: whole}), jsonl=lines(old))
    own, whole = new_id(), _long("a quoted one")
    tweet = {
        "id": own,
        "text": "my own words…",
        "referenced_tweets": [{"type": "quoted", "id": new_id(), "text": whole}],
    }
    yield odd(kind, "cut-quote", texts({own: "my own words…"}), jsonl=lines(tweet))
    own, whole = new_id(), _long("a scraped one")
    scraped: Tweet = {"id": int(own), "rawContent": f"RT @maker: {whole[:90]}…", "retweetedTweet": {
        "id": int(new_id()), "rawContent": whole, "user": {"username": "maker"}}}  # fmt: skip
    yield odd(kind, "cut-scraped", texts({own: f"RT @maker: {whole}"}), jsonl=lines(scraped))
    own, whole = new_id(), _long("one of the page itself")
    legacy: Tweet = {"rest_id": own, "core": {"user_results": {"result": {"legacy": {"screen_name": "maker"}}}},
                     "legacy": {"id_str": own, "full_text": whole, "favorite_count": 3}}  # fmt: skip
    yield odd(kind, "cut-legacy", texts({own: whole}), jsonl=lines(legacy))


def _elsewhere() -> Iterator[Odd]:
    kind = "whole text in another file"

    def at(day: int) -> Tweet:
        return {"__twarc": {"retrieved_at": f"2024-03-{day}T00:00:00Z"}}

    for name, (cut_day, whole_day) in {"later": (18, 19), "earlier": (19, 18), "same": (18, 18)}.items():
        for ending in ("… https://t.co/abc", "…", "..."):
            own, whole = new_id(), _long(f"{name} {len(ending)}")
            cut = {"id": own, "text": whole[:130] + ending, **at(cut_day)}
            note = {**cut, "note_tweet": {"text": whole}, **at(whole_day)}
            label = f"elsewhere-{name}-{len(ending)}"
            yield odd(kind, label, texts({own: whole}), a_jsonl=lines(cut), b_jsonl=lines(note))
    own, whole = new_id(), _long("a column that is too narrow")
    narrow = table(("tweet_id", "text", "retrieved_at"), (own, whole[:140], "2024-03-01T00:00:00Z"))
    yield odd(
        kind, "elsewhere-narrow", texts({own: whole}), csv=narrow, jsonl=lines({"id": own, "text": whole, **at(20)})
    )
    own, whole = new_id(), _long("a retweet")
    cut = {"id": own, "text": f"RT @maker: {whole[:100]}…", **at(18)}
    full = {"id": own, "text": f"RT @maker: {whole}", **at(19)}
    yield odd(kind, "elsewhere-retweet", texts({own: f"RT @maker: {whole}"}), a_jsonl=lines(cut), b_jsonl=lines(full))
    for name, days in {"notice-first": (11, 12), "notice-last": (12, 11)}.items():
        own = new_id()
        notice = {
            "id": own,
            "text": "This account is temporarily unavailable because it violates the X Media Policy.",
            **at(days[0]),
        }
        real = {"id": own, "text": "What a lovely evening", **at(days[1])}
        yield odd(
            kind, f"elsewhere-{name}", texts({own: "What a lovely evening"}), a_jsonl=lines(notice), b_jsonl=lines(real)
        )


def _separators() -> Iterator[Odd]:
    for name, (line, sep) in {
        "plain": ("sep=;", ";"), "marked": ("\ufeffsep=,", ","), "quoted": ('"sep=;"', ";"), "tab": ("sep=\t", "\t"),
        "capital": ("SEP=;", ";"), "bar": ("sep=|", "|"), "filled": ("sep=;;", ";"), "crlf": ("sep=;\r", ";"),
    }.items():  # fmt: skip
        own = new_id()
        content = table((line,), ("tweet_id", "text", "likes"), (own, "good morning", "3"), sep=sep)
        judge = values("text || ' ' || like_count", {own: ("good morning 3",)})
        yield odd("sep=", f"sep-{name}", judge, csv=content)


def _people() -> Iterator[Odd]:
    kind = "people by id and by name"
    sql = "SELECT author_key, tweets FROM author_daily WHERE lower(author) = '{}' ORDER BY 1"
    for n, (named, others) in enumerate({
        "Mariana": ("Mariana", "mariana"), "OTTO_1": ("otto_1",), "@Petra": ("PETRA", "petra"), "Ömer": ("ömer",),
        "li": ("Li", "LI", "@li"),
    }.items()):  # fmt: skip
        name, author_id = named.lstrip("@"), str(70_050 + n)
        by_id = {"id": new_id(), "text": "one", "author_id": author_id, "author": {"id": author_id, "username": named}}
        rows = [(new_id(), f"number {at}", other) for at, other in enumerate(others)]
        judge = selects(sql.format(name.lower()), [(author_id, 1 + len(others))])
        content = table(("tweet_id", "text", "username"), *rows, sep=",")
        yield odd(kind, f"person-{n}", judge, a_jsonl=lines(by_id), b_csv=content)
    shapes: dict[str, Tweet] = {
        "login": {"user": {"login": "login7"}}, "username": {"author": {"username": "username7"}},
        "info": {"userInfo": {"displayName": "info7"}}, "from": {"from": {"name": "from7"}},
        "screen": {"user": {"screen_name": "screen7"}}, "name": {"author": {"name": "name7"}},
        "core": {"core": {"user_results": {"result": {"legacy": {"screen_name": "core7"}}}}},
        "account": {"account": {"username": "account7"}},
    }  # fmt: skip
    for name, shape in shapes.items():
        own = new_id()
        content = lines({"id": own, "text": "who wrote this", **shape})
        yield odd(kind, f"nested-{name}", values("author", {own: (f"{name}7",)}), jsonl=content)


def _ids() -> Iterator[Odd]:
    kind = "ids of 18 and 19 digits"
    for n in range(5):
        who = str(60_060 + n)
        early, late = str(999_999_000_000_000_000 + n), str(1_000_001_000_000_000_000 + n)
        tweets = [
            {"id": tweet_id, "text": name, "author_id": who, "author": {"id": who, "username": f"{name}{n}"}}
            for tweet_id, name in ((early, "earlier"), (late, "later"))
        ]
        sql = f"SELECT author, tweets FROM author_daily WHERE author_id = '{who}'"  # noqa: S608
        judge = selects(sql, [(f"later{n}", 2)])
        yield odd(kind, f"renamed-{n}", judge, jsonl=lines(*(tweets if n % 2 else tweets[::-1])))


def _links() -> Iterator[Odd]:
    cases = {
        "https://münchen.de/weg": True, "https://xn--mnchen-3ya.de/x": True,
        f"http://{'a' * 64}.com/x": False, "https://президент.рф/news": True, f"www.{'b' * 70}.com": False,
        "https://faß.de/x": True, "https://中国政府.政务": True, "https://ドメイン.com/パス": None,
        f"http://{'ü' * 60}.de/x": False, f"https://{'中' * 60}.com/": False, "http://xn--münchen.de/a": False,
        f"http://{'c' * 63}.com/x": True, "http://xn--80ak6aa92e.com/": True,
    }  # fmt: skip
    for n, (url, is_link) in enumerate(cases.items()):
        own = new_id()
        found = [url] if is_link else [] if is_link is not None else [url, "https://ドメイン.com/"]
        allowed = [[link] for link in found] if is_link is None else [found]
        content = lines({"id": own, "text": f"see {url} now"})
        yield odd("links", f"link-{n}", values("urls", {own: allowed}), jsonl=content)


def _notices() -> Iterator[Odd]:
    for n, notice in enumerate((
        "This account is temporarily unavailable because it violates the Twitter Media Policy. Learn more.",
        "This Tweet from @somebody has been withheld in India in response to a legal demand. Learn more.",
        "This Post is from an account that no longer exists. Learn more",
        "@somebody's account has been withheld in Turkey in response to a legal demand. Learn more.",
        "This Tweet violated the Twitter Rules. Learn more", "This Post is unavailable. Learn more",
        "Age-restricted adult content. This content might not be appropriate for people under 18 years old. To view this "
        "media, you’ll need to log in to X. Learn more",
        "This Tweet is from a suspended account. Learn more",
        "You’re unable to view this Post because this account owner limits who can view their Posts. Learn more",
        "Hmm...this page doesn’t exist. Try searching for something else.",
        "This post was deleted by the post author. Learn more", "This post is unavailable.",
        "This Tweet was deleted by the Tweet author. Learn more", "This Post is from a suspended account. {learnmore}",
    )):  # fmt: skip
        own, other = new_id(), new_id()
        sql = f"SELECT tweet_id FROM tweets WHERE tweet_id IN ('{own}', '{other}') ORDER BY 1"  # noqa: S608
        content = lines({"id": own, "text": notice}, {"id": other, "text": f"They told me: {notice} How sad"})
        yield odd("notices", f"notice-{n}", selects(sql, [(other,)]), jsonl=content)
