"""Tweets about the stream, as X API v2 responses.

Belongs here: authors, texts and ids of tweets. Does not belong here: chat.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from sample_stream.script import deal
from sample_stream.sidecars import STARTED_AT

SNOWFLAKE_EPOCH_MS = 1_288_834_974_657
PAGE = 50
ENTITY = re.compile(r"(?P<urls>https://t\.co/\w+)|#(?P<hashtags>\w+)|@(?P<mentions>\w+)|\$(?P<cashtags>[A-Z]{3,5})\b")
HOST = ("pixelporter_tv", "PixelPorter")
STUDIO = ("lumendriftgame", "Lumen Drift")
EVENT = ("speedrunsat", "Speedrun Saturday")
FANS = (
    ("lena_draws_maps", "Lena"), ("turbo_turnip_", "Turbo Turnip"), ("quietcomet88", "Quiet Comet"),
    ("brickfish_gg", "Brickfish"), ("saltybagel_x", "salty bagel"), ("novapine_art", "Nova Pine"),
    ("jumpcut_jo", "Jo"), ("otterlyodd", "Otterly Odd"), ("waffleiron_9", "waffle iron"),
    ("grim_toast_", "grim toast"), ("pippepper_", "Pip & Pepper"), ("slowmosam", "Slow Motion Sam"),
    ("emberwick_", "ember"), ("coldbrewkidd", "cold brew kid"), ("tinymoose_gg", "Tiny Moose"),
    ("routenerd42", "Route Nerd"), ("bluewindmill_", "Blue Windmill"), ("softreset_", "soft reset"),
    ("dustybutton1", "Dusty Button"), ("thirdtower_", "Third Tower"), ("zephyrine_k", "Zephyrine"),
    ("crateboss_", "Crate Boss"), ("yarnball_42", "yarn ball"), ("rollcancel_", "Roll Cancel"),
    ("harbour_ox", "Harbour Ox"), ("nightshift_nate", "Nate"), ("lowpoly_lou", "Low Poly Lou"),
    ("fernweh_plays", "Fernweh"), ("gg_greta_", "Greta"), ("marketmolly_x", "Molly watches markets"),
)  # fmt: skip

BEFORE = (
    "Tomorrow is the day, {host} goes for the {tag} record again {happy}",
    "Who else is watching {host} tomorrow? {tag} {event}",
    "Calling it now: {host} gets the {tag} record this weekend",
    "Snacks bought, alarm set, ready for {event} {happy}",
    "Reminder: {event} starts tomorrow at six in the evening UTC {url}",
    "Not sure the new tower route is safe enough for a record run {tag}",
    "I really hope the stream does not lag like last week {sad} {event}",
    "Practiced the river jump for {n} hours and still can't do it {sad} {tag}",
    "The schedule for {event} is up {url}",
    "{studio} please fix the shop door before tomorrow, it crashed on me {n} times",
    "Honestly a bit tired of {tag} records every weekend, show us another game",
    "My whole week was bad but {event} is nearly here {happy}", "The new {tag} trailer looks lovely {url}",
    "{host} said the rope skip stays out of the run. Safe &amp; slow, then",
    "Small studio, big plans: $LUMN closes the week slightly up {tag}",
    "I drew the forest level for {event}, hope you like it {happy} {url}",
    "Anyone have the route notes for {tag}? The old link is dead",
    "I bet {n} cookies that we see a sub 41 tomorrow {tag}",
    "Who keeps the {tag} world record after Saturday? I say nobody we know",
    "Our little group meets in the library to watch {event}, come along {happy}",
    "I watched all old runs of {host} this week and I am nervous {tag}",
    "Counting the hours. {event} {happy}",
    "Working tomorrow evening, of course. Somebody tell me everything {sad} {event}",
    "The beta of {tag} broke my saves, thanks for nothing {studio} {sad}",
    "Does the {tag} record count on the new version? Asking for a friend",
    "New headset arrived, just in time for {event} {happy}",
    "Remember when {host} fell into the same hole {n} times? Good days {tag}",
    "A quiet evening with tea &amp; route notes {tag}",
)  # fmt: skip
LIVE = (
    "OH MY GOD {host} DID IT {happy} {tag}", "That last jump. I have no words. {tag} {event}",
    "I screamed so loud my neighbours knocked {happy} {tag}", "We just watched history, what a finish! {tag}",
    "The dragon fight with one heart left, I can't breathe {happy} {tag}",
    "Chat is moving so fast right now {event}", "Best run of the year, easily. Thank you {host} {happy}",
    "Why is the sound so loud on that engine part, my ears {sad} {event}",
    "That noise in the middle was awful, please never again {host}",
    "Two minutes behind and still calm. How? {tag}", "The king talks, we drink tea. {tag}",
    "The secret door! They found the secret door! {tag} {happy}",
    "Currently {n} people in my living room watching {event}",
    "Stream dropped right at the best moment, I am so angry {sad} {event}",
    "{host} laughing at the chicken made my evening {happy}",
    "Watching {tag} for the first time, I understand nothing but it is fun",
    "Okay that was pure luck, sorry. Still a record I guess {tag}",
    "New personal best and it is only the first hour {tag} {event}",
    "I clipped it, you are welcome {url} {tag}", "This forest music should win a prize {tag} {happy}",
    "Another boring cutscene, wake me up when he moves again {event}",
    "The route over the left bridge saves about ten seconds {tag}",
    "The video is a blur of blocks for me, is it only me? {event}",
    "{host} {host2} what a team tonight {happy} {event}",
    "¡Qué carrera tan increíble! No lo puedo creer {happy} {tag}",
    "Was für ein Lauf, ich habe Gänsehaut {happy} {tag}",
    "Two hearts left and he jumps anyway. Hero or fool? {tag}",
    "Somebody give that crowd some water {happy} {event}",
    "Volume all over the place again, quiet talk then shouting {sad} {event}",
    "Is this real? Somebody wake me up {tag}", "{host} is shaking and so am I {happy} {tag}",
    "The tiny platform! He landed on the tiny platform! {tag}",
    "I looked away for one second and missed it {sad} {event}", "Clean movement tonight, really clean {tag}",
    "My stream is {n} seconds behind and chat spoils everything {sad} {event}",
    "Guard walks, we wait, guard walks, we wait {tag}", "Four coins short, as always {tag}",
    "The music is so quiet and then BOOM {event}",
    "Best evening of the summer and it is only June {happy} {event}",
    "He said let's go, and we went {happy} {tag}", "Too many commercials, I am out {sad} {event}",
    "Lost the sound for a while, back now {event}",
    "Grandma asks who the dragon is. Explaining {tag} to her now",
    "Record or not, this is a joy to watch {happy} {event}",
    "Why does everybody shout, this is a game of blocks {event}",
)  # fmt: skip
AFTER = (
    "Still thinking about that finish last night {happy} {tag}",
    "Woke up and had to check that the {tag} record was real",
    "The whole run is up now, start at the dragon {url} {tag}",
    "Watched the highlight {n} times already {happy} {tag}",
    "Good run, but the shouting every two minutes is not for me {event}",
    "So the record stands. Respect to {host} {event}",
    "Slept three hours because of {event}, zero regrets {happy}",
    "The clip everyone shares cuts off the best second, so annoying {sad} {tag}",
    "$LUMN jumped after the stream, funny how that works {tag}",
    "I lost my cookies bet and I have never been happier {happy} {tag}",
    "{studio} is giving a free map to everyone who watched {url}",
    "People calling it luck did not watch the {n} hours of practice {tag}",
    "Not a fan. The old record had better movement, this was messy {tag}",
    "Does anyone know when the next {event} is?", "First time I cried at a game of blocks {happy} {tag}",
    "The moderators were great last night, thank you all {event}",
    "The recording has that horrible engine noise, skip it {sad} {event}",
    "Trying the left bridge today because of {host} {tag}",
    "Interview with {host} is out, short but nice {url}",
    "Disappointed that nobody talks about second place, great run too {sad} {event}",
    "Can somebody send me the dragon part? {tag}",
    "{host} sounded so happy at the end, well earned {happy} {event}",
    "Monday at work will be hard but it was worth it {happy} {event}",
    "The leaderboard is updated, the record is official now {tag}",
    "I wrote down all the splits, have a look {url} {tag}",
    "Honest question: why is this still called any%? {tag}",
    "The comments under the video are horrible, leave the man alone {sad} {event}",
    "Bought {tag} this morning, fell into the first hole {n} times {happy}",
    "The shop door still crashes, {studio}. Nothing changes {sad}",
    "My kids play dragon in the garden since breakfast {happy} {tag}",
    "What a nice community, met so many kind people {event}",
    "I expected more, half of it was talking {event}",
    "Cutting a short film of the best moments, who wants to see it? {event}",
)  # fmt: skip
REPLIES = (
    "so true", "same here", "thank you for posting this", "I don't agree at all", "this made my day",
    "haha yes", "wait, really?", "could not have said it better", "please stop", "see you in chat",
)  # fmt: skip
COMMENTS = (
    "This, exactly this {tag}", "Everybody needs to read this {happy}", "Hard disagree {tag}",
    "Me too {happy}", "Can't stop smiling {happy} {event}", "Such a bad take {sad} {tag}",
    "In case you missed it {event}",
)  # fmt: skip
HAPPY = ("🎉", "😂", "🔥", "😭❤️", "🙌", "!!!", "", "", "")
SAD = ("😡", "😩", "🙄", ":(", "", "")
TAGS = ("#LumenDrift", "#LumenDrift", "#lumendrift", "Lumen Drift", "#LumenDrift #speedrun")
EVENTS = ("#SpeedrunSaturday", "#SpeedrunSaturday", "Speedrun Saturday", "#speedrunsaturday")
SPANISH, GERMAN = re.compile("[¡¿]"), re.compile("[ßüä]")


@dataclass
class _Tweet:
    """A tweet on its way to becoming a row of a response.

    Attributes:
        at: When it was written, UTC, to the millisecond.
        author: Index of its author among all users.
        text: Its text.
        tweet_id: Its snowflake.
        references: Pairs of kind (retweeted, quoted, replied_to) and the referenced tweet.
        history: Ids of its versions, oldest first.
        links: Full URLs by their short form.
    """

    at: datetime
    author: int
    text: str
    tweet_id: int
    references: list[tuple[str, _Tweet]] = field(default_factory=list)
    history: list[int] = field(default_factory=list)
    links: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, int] = field(default_factory=dict)

    @property
    def root(self) -> int:
        """The id of the tweet that started the conversation."""
        answered = [tweet for kind, tweet in self.references if kind == "replied_to"]
        return answered[0].root if answered else (self.history or [self.tweet_id])[0]


class _Writer:
    """Writes tweets with one random generator; no two share a millisecond."""

    def __init__(self, rng: np.random.Generator) -> None:
        """Take the generator that every draw comes from."""
        self.rng = rng
        self.users = _users(rng)
        self._taken: set[datetime] = set()

    def tweet(self, at: datetime, author: int, pattern: str) -> _Tweet:
        """Write a tweet from a pattern at about the given time."""
        at = at.replace(microsecond=at.microsecond // 1000 * 1000)
        while at in self._taken:
            at += timedelta(milliseconds=1)
        self._taken.add(at)
        tweet_id = _milliseconds(at) - SNOWFLAKE_EPOCH_MS << 22 | int(self.rng.integers(1 << 22))
        text = pattern.format(
            host=f"@{HOST[0]}",
            host2=f"@{FANS[int(self.rng.integers(len(FANS)))][0]}",
            studio=f"@{STUDIO[0]}",
            tag=self._pick(TAGS if pattern.endswith("{tag}") else TAGS[:-1]),
            event=self._pick(EVENTS),
            happy=self._pick(HAPPY),
            sad=self._pick(SAD),
            n=int(self.rng.integers(3, 40)),
            url="{url}",
        )
        tweet = _Tweet(at, author, " ".join(text.split()), tweet_id)
        tweet.history = [tweet_id]
        if "{url}" in tweet.text:
            short = self._short_link()
            tweet.text = tweet.text.replace("{url}", short)
            folder = self._pick(("clips", "videos", "news"))
            tweet.links[short] = f"https://example.com/{folder}/{tweet_id % 10_000}"
        return tweet

    def retweet(self, original: _Tweet, at: datetime, author: int) -> _Tweet:
        """Write a retweet; its text is cut to 140 characters at a space."""
        text = f"RT @{self.users[original.author]['username']}: {original.text}"
        if len(text) > 140:
            text = text[:139].rsplit(" ", 1)[0] + "…"
        tweet = self.tweet(at, author, "")
        tweet.text, tweet.links = text, dict(original.links)
        tweet.references = [("retweeted", original)]
        return tweet

    def reply(self, original: _Tweet, at: datetime, author: int, pattern: str) -> _Tweet:
        """Write a reply; its text begins with the name of the author it replies to."""
        tweet = self.tweet(at, author, f"@{self.users[original.author]['username']} {pattern}")
        tweet.references = [("replied_to", original)]
        return tweet

    def quote(self, original: _Tweet, at: datetime, author: int, pattern: str) -> _Tweet:
        """Write a quote; its text ends with a link to what it quotes."""
        tweet = self.tweet(at, author, pattern)
        short = self._short_link()
        tweet.text = f"{tweet.text} {short}"
        username = self.users[original.author]["username"]
        tweet.links[short] = f"https://twitter.com/{username}/status/{original.tweet_id}"
        tweet.references = [("quoted", original)]
        return tweet

    def edit(self, tweet: _Tweet, text: str) -> _Tweet:
        """Write a new version of a tweet, a few minutes later."""
        newer = self.tweet(tweet.at + timedelta(seconds=float(self.rng.uniform(60, 1500))), tweet.author, "")
        newer.text, newer.links, newer.references = text, tweet.links, tweet.references
        newer.history = [*tweet.history, newer.tweet_id]
        return newer

    def anybody(self) -> int:
        """Return a fan; some tweet more than others."""
        return 3 + int(len(FANS) * self.rng.beta(0.9, 1.6))

    def _pick(self, choices: tuple[str, ...]) -> str:
        return choices[int(self.rng.integers(len(choices)))]

    def _short_link(self) -> str:
        letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
        return "https://t.co/" + "".join(letters[i] for i in self.rng.integers(len(letters), size=10))


def pages(seed: int) -> list[dict[str, Any]]:
    """Return about 200 tweets over three UTC days (`tweets.jsonl`), 50 per response, the newest first."""
    rng = np.random.default_rng([seed, 5])
    writer = _Writer(rng)
    tweets = sorted(_conversation(writer), key=lambda tweet: tweet.tweet_id, reverse=True)
    _count(tweets, rng)
    made = []
    for first in range(0, len(tweets), PAGE):
        page = tweets[first : first + PAGE]
        rows = [_row(tweet, writer.users) for tweet in page]
        meta: dict[str, Any] = {
            "newest_id": rows[0]["id"],
            "oldest_id": rows[-1]["id"],
            "result_count": len(rows),
        }
        if first + PAGE < len(tweets):
            meta["next_token"] = "b26v89c19zqg8o3f" + format(int(rng.integers(1 << 40)), "010x")
        made.append({"data": rows, "includes": {"users": _mentioned(page, rows, writer.users)}, "meta": meta})
    return made


def _conversation(writer: _Writer) -> list[_Tweet]:
    """Write all tweets, unordered: originals, then reactions to them, then edits."""
    rng, midnight = writer.rng, STARTED_AT.replace(hour=0)
    before, live, after = deal(BEFORE, rng), deal(LIVE, rng), deal(AFTER, rng)
    originals: list[_Tweet] = []

    def write(pattern: str, at: datetime) -> None:
        author = writer.anybody()
        if "starts tomorrow" in pattern or "schedule" in pattern:
            author = 2
        originals.append(writer.tweet(at, author, pattern))

    for _ in range(30):
        write(next(before), midnight + timedelta(hours=-24 + 23.9 * float(rng.beta(3, 1.5))))
    for _ in range(8):
        pattern = next(before).replace("omorrow", "oday")
        write(pattern, midnight + timedelta(hours=float(rng.uniform(6, 17.5))))
    originals.append(writer.tweet(STARTED_AT, 0, "We are live, come in {url} {event}"))
    for _ in range(57):
        write(next(live), STARTED_AT + timedelta(minutes=330 * float(rng.beta(0.8, 2.5))))
    for _ in range(38):
        write(next(after), midnight + timedelta(hours=24.2 + 22 * float(rng.beta(1.5, 1.5))))

    end = midnight + timedelta(hours=47.9)
    liked = rng.permutation(len(originals))
    answers: list[_Tweet] = []
    answered: set[tuple[int, int]] = set()
    for number in range(64):
        original = originals[int(liked[int(len(liked) * rng.beta(0.7, 2.2))])]
        at = min(original.at + timedelta(minutes=float(rng.exponential(70)) + 1), end)
        author = writer.anybody()
        while (author, original.tweet_id) in answered or author == original.author:
            author = 3 + int(rng.integers(len(FANS)))
        answered.add((author, original.tweet_id))
        if number < 38:
            answers.append(writer.retweet(original, at, author))
        elif number < 54:
            answers.append(writer.reply(original, at, author, str(rng.choice(REPLIES))))
        else:
            answers.append(writer.quote(original, at, author, str(rng.choice(COMMENTS))))

    referred = {tweet.tweet_id for answer in answers for _, tweet in answer.references}
    plain = [tweet for tweet in originals if tweet.tweet_id not in referred and not tweet.links]
    seen_before_edit, replaced = plain[2], plain[-3]
    edits = [
        writer.edit(seen_before_edit, seen_before_edit.text + " (edit: typo)"),
        writer.edit(replaced, "Correction: " + replaced.text),
    ]
    return [tweet for tweet in originals if tweet is not replaced] + answers + edits


def _count(tweets: list[_Tweet], rng: np.random.Generator) -> None:
    """Give every tweet its public counts; a retweet has those of the original, and no likes of its own."""
    for tweet in tweets:
        likes = int(rng.pareto(1.1) * 4)
        answers = [kind for other in tweets for kind, meant in other.references if meant is tweet]
        tweet.metrics = {
            "retweet_count": answers.count("retweeted") + likes // 6,
            "reply_count": answers.count("replied_to") + likes // 15,
            "like_count": likes,
            "quote_count": answers.count("quoted"),
            "impression_count": (likes + 3) * int(rng.integers(20, 80)),
        }
    for tweet in tweets:
        for kind, original in tweet.references:
            if kind == "retweeted":
                shared = original.metrics["retweet_count"]
                tweet.metrics = dict.fromkeys(tweet.metrics, 0) | {"retweet_count": shared}


def _row(tweet: _Tweet, users: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a tweet as the API does."""
    row: dict[str, Any] = {
        "id": str(tweet.tweet_id),
        "text": tweet.text,
        "created_at": _stamp(tweet.at),
        "author_id": users[tweet.author]["id"],
        "conversation_id": str(tweet.root),
        "lang": _language(tweet.text),
        "public_metrics": tweet.metrics,
        "edit_history_tweet_ids": [str(version) for version in tweet.history],
        "possibly_sensitive": False,
        "reply_settings": "everyone",
    }
    entities = _entities(tweet, users)
    if entities:
        row["entities"] = entities
    if tweet.references:
        row["referenced_tweets"] = [{"type": kind, "id": str(meant.tweet_id)} for kind, meant in tweet.references]
        answered = [meant for kind, meant in tweet.references if kind == "replied_to"]
        if answered:
            row["in_reply_to_user_id"] = users[answered[0].author]["id"]
    return row


def _entities(tweet: _Tweet, users: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Find tags, names and links in a text; positions count code points, and `end` is exclusive."""
    ids = {user["username"]: user["id"] for user in users}
    found: dict[str, list[dict[str, Any]]] = {}
    for match in ENTITY.finditer(tweet.text):
        kind, value = str(match.lastgroup), match[match.lastgroup]
        entity: dict[str, Any] = {"start": match.start(), "end": match.end()}
        if kind == "urls":
            whole = tweet.links[value]
            entity |= {"url": value, "expanded_url": whole, "display_url": whole.removeprefix("https://")}
        elif kind == "mentions":
            entity |= {"username": value, "id": ids[value]}
        else:
            entity["tag"] = value
        found.setdefault(kind, []).append(entity)
    return found


def _mentioned(page: list[_Tweet], rows: list[dict[str, Any]], users: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the authors and mentioned users of a page's tweets, each once."""
    ids = dict.fromkeys(users[tweet.author]["id"] for tweet in page)
    ids |= dict.fromkeys(m["id"] for row in rows for m in row.get("entities", {}).get("mentions", []))
    by_id = {user["id"]: user for user in users}
    return [by_id[user_id] for user_id in ids]


def _users(rng: np.random.Generator) -> list[dict[str, Any]]:
    """Invent the users: the host, the studio, the event, and the fans."""
    made = []
    for username, name in (HOST, STUDIO, EVENT, *FANS):
        followers = int(rng.pareto(1.0) * 80) + (20_000 if username in (HOST[0], STUDIO[0], EVENT[0]) else 5)
        since = STARTED_AT - timedelta(days=float(rng.uniform(90, 4000)))
        made.append(
            {
                "id": str(rng.integers(10**8, 4 * 10**9)),
                "username": username,
                "name": name,
                "created_at": _stamp(since),
                "verified": username in (HOST[0], STUDIO[0]),
                "public_metrics": {
                    "followers_count": followers,
                    "following_count": int(rng.integers(10, 900)),
                    "tweet_count": int(rng.integers(50, 20_000)),
                    "listed_count": followers // 400,
                },
            }
        )
    return made


def _language(text: str) -> str:
    """Return the language of one of this module's texts."""
    if SPANISH.search(text):
        return "es"
    return "de" if GERMAN.search(text) else "en"


def _milliseconds(at: datetime) -> int:
    return round((at - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1))


def _stamp(at: datetime) -> str:
    """Return a UTC time as the API writes it, to the millisecond."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"
