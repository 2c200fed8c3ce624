-- A hashtag on a day (UTC): how much it is used, against how much it was used on the seven days before, and where it is
-- going. Days of which no tweet is known count as unknown, not as silent. Retweets repeat somebody's tag: they don't count.
WITH uses AS (
    SELECT DISTINCT t.day, lower(tags.tag) AS tag, t.tweet_id, coalesce('id ' || author_id, 'name ' || lower(author)) AS who
    FROM tweets AS t, unnest(t.hashtags) AS tags(tag)
    WHERE NOT coalesce(t.is_retweet, false) AND tags.tag <> ''
),
used AS (
    SELECT
        day, tag,
        count(*) AS tweets,
        count(DISTINCT who) AS authors,
        avg(sentiment::DECIMAL(10, 9)) AS mean_sentiment,
        count(*) FILTER (WHERE label = 'positive' AND sentiment IS NOT NULL) / nullif(count(sentiment), 0) AS positive_share,
        count(*) FILTER (WHERE label = 'negative' AND sentiment IS NOT NULL) / nullif(count(sentiment), 0) AS negative_share
    FROM uses
    LEFT JOIN (SELECT tweet_id, sentiment, label FROM tweet_sentiment) USING (tweet_id)
    GROUP BY day, tag
),
days AS (SELECT DISTINCT day FROM tweets),
window_days AS (
    SELECT now.day, before.day AS earlier
    FROM days AS now JOIN days AS before ON before.day >= now.day - 7 AND before.day < now.day
),
known AS (SELECT day, count(*) AS known_days FROM window_days GROUP BY day),
-- Days of the window on which the tag was used; the others stand for zeros, which a median needs only as a number.
counted AS (
    SELECT u.day, u.tag, list(e.tweets ORDER BY e.tweets) AS counts
    FROM used AS u
    JOIN window_days AS w USING (day)
    JOIN used AS e ON e.tag = u.tag AND e.day = w.earlier
    GROUP BY u.day, u.tag
),
measured AS (
    SELECT
        u.*,
        coalesce(known_days, 0) AS known_days,
        CASE WHEN known_days >= 3 THEN list_aggregate(
            list_concat(list_transform(range(known_days - len(coalesce(counts, []))), lambda _: 0::BIGINT), counts), 'median'
        ) END AS usual_tweets,
        first_value(u.day) OVER (PARTITION BY tag ORDER BY u.day) = u.day AS is_first,
        -- NULL where the day before is unknown; zero where the tag was not used on it.
        CASE WHEN yesterday.day IS NOT NULL THEN coalesce(before.tweets, 0) END AS tweets_before
    FROM used AS u
    LEFT JOIN known USING (day)
    LEFT JOIN counted USING (day, tag)
    LEFT JOIN days AS yesterday ON yesterday.day = u.day - 1
    LEFT JOIN used AS before ON before.tag = u.tag AND before.day = u.day - 1
)
SELECT
    day, tag, tweets, authors,
    usual_tweets,
    -- greatest alone would make 1 of NULL.
    CASE WHEN usual_tweets IS NOT NULL THEN tweets / greatest(usual_tweets, 1) END AS velocity,
    mean_sentiment, positive_share, negative_share,
    CASE
        WHEN known_days = 0 THEN NULL
        WHEN is_first THEN 'new'
        WHEN usual_tweets IS NULL OR greatest(tweets, usual_tweets, coalesce(tweets_before, 0)) < 5 THEN NULL
        WHEN tweets < 0.9 * tweets_before AND tweets_before >= 1.5 * greatest(usual_tweets, 1) THEN 'fading'
        WHEN tweets <= usual_tweets / 1.5 THEN 'fading'
        WHEN tweets >= 1.5 * greatest(usual_tweets, 1) AND tweets > 1.1 * coalesce(tweets_before, 0) THEN 'rising'
        WHEN tweets >= 1.5 * greatest(usual_tweets, 1) THEN 'peaking'
        ELSE 'steady'
    END AS trend
FROM measured
ORDER BY day, tag
