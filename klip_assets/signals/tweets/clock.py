"""When tweets were created, and how far the times in a file are off.

The time in the id takes precedence. A file's own time is only needed for ids from before ids contained one; for all
others the two are compared, and mismatches counted: a file in local time is off by the same hours in every row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from klip_assets.signals.tweets.snowflake import SNOWFLAKE_ERA, created_at_of
from klip_assets.signals.tweets.values import RowRefused, is_absent, shown, time_of

#: Day of the first tweet ever.
FIRST_DAY = date(2006, 3, 21)
#: Times are written to the second or the minute: smaller differences are not mismatches.
TOLERANCE_S = 120
DAY_S = 86_400
_QUARTER_S = 900


@dataclass
class Clock:
    """The current time, and statistics on the times in one file.

    Attributes:
        now: Naive UTC; a tweet from more than a day after it is refused.
        mismatches: Rows whose own time differs from the one in the id.
        offsets: How often each difference occurs, in quarters of an hour: own time - time in the id.
    """

    now: datetime
    mismatches: int = 0
    offsets: Counter[int] = field(default_factory=Counter)

    @property
    def typical_offset(self) -> str:
        """The most frequent difference, such as "-8 h"; '' if there is none."""
        if not self.offsets:
            return ""
        quarters = min(self.offsets, key=lambda each: (-self.offsets[each], abs(each), each))
        return f"{quarters / 4:+g} h" if quarters else "less than 8 min"

    def created_at(self, tweet_id: str, told: object) -> datetime:
        """Return when the tweet was created: by its id, or by the file if the id contains no time.

        Raises:
            RowRefused: Neither has a time, or it can't be a tweet's.
        """
        created_at = created_at_of(tweet_id)
        if created_at is None:
            if is_absent(told):
                raise RowRefused("no time: neither the id nor the row has one", f"id {tweet_id}")
            created_at = time_of(told)
            if created_at is None:
                raise RowRefused("time not understood", shown(told))
            if created_at >= SNOWFLAKE_ERA:
                raise RowRefused("not a tweet id: too small for its date", f"id {tweet_id}, {created_at:%Y-%m-%d}")
        self.check(tweet_id, created_at)
        if told is not None:
            self.compare(created_at, told)
        return created_at

    def check(self, tweet_id: str, created_at: datetime) -> None:
        """Refuse a time that no tweet can have.

        Raises:
            RowRefused: It is before the first tweet or in the future.
        """
        if created_at.date() < FIRST_DAY:
            raise RowRefused("the time is before the first tweet", f"id {tweet_id}, {created_at:%Y-%m-%d}")
        if created_at > self.now + timedelta(days=1):
            raise RowRefused("the time is in the future", f"id {tweet_id}, {created_at:%Y-%m-%d}")

    def compare(self, created_at: datetime, told: object) -> None:
        """Count a row whose own time differs from the one in its id; an unreadable time is ignored."""
        if isinstance(told, str) and told[:19] == created_at.isoformat(timespec="seconds") and told[-1:] == "Z":
            return
        own = time_of(told)
        if own is None:
            return
        off_s = (own - created_at).total_seconds()
        # A bare date agrees with all times of its day.
        is_date = isinstance(told, str) and ":" not in told and not told.strip().isdigit()
        if (-DAY_S < off_s <= 0) if is_date and own.time() == datetime.min.time() else abs(off_s) < TOLERANCE_S:
            return
        self.add([off_s])

    def add(self, offsets_s: Iterable[float]) -> None:
        """Count rows whose own time differs from the one in their ids.

        Args:
            offsets_s: Own time - time in the id, one per row.
        """
        quarters = [round(float(off_s) / _QUARTER_S) for off_s in offsets_s]
        self.mismatches += len(quarters)
        self.offsets.update(quarters)
