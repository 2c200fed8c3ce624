-- Sentiment of the audience before, during and after a stream, from the tweets about it (`video_tweets`), without
-- retweets. One row per stream whose start is known, even without tweets.
WITH streams AS (
    SELECT video_id, duration_s FROM videos
    WHERE started_at IS NOT NULL AND duration_s IS NOT NULL AND duplicate_of IS NULL
),
about AS (
    SELECT
        v.video_id, tweet_id, t.hashtags, person(t.author_id, named.id, t.author) AS who,
        -- Decimals, so that means do not depend on the order of the rows.
        r.sentiment::DECIMAL(10, 9) AS sentiment,
        CASE WHEN v.offset_s < 0 THEN 'before' WHEN v.offset_s < s.duration_s THEN 'during' ELSE 'after' END AS phase,
        floor(v.offset_s / 60)::INTEGER AS minute
    FROM video_tweets AS v
    JOIN streams AS s USING (video_id)
    JOIN tweets AS t USING (tweet_id)
    LEFT JOIN tweet_sentiment AS r USING (tweet_id)
    LEFT JOIN (FROM ids_of_names() WHERE day IS NOT NULL) AS named
        ON named.day = t.day AND named.name = lower(t.author) AND t.author_id IS NULL
            AND NOT coalesce(t.author_is_shown_name, false)
    WHERE NOT coalesce(t.is_retweet, false)
),
counts AS (
    SELECT
        video_id,
        count(*) AS tweets,
        count(DISTINCT who) AS authors,
        count(*) FILTER (WHERE phase = 'before') AS tweets_before,
        count(*) FILTER (WHERE phase = 'during') AS tweets_during,
        count(*) FILTER (WHERE phase = 'after') AS tweets_after,
        avg(sentiment) FILTER (WHERE phase = 'before') AS sentiment_before,
        avg(sentiment) FILTER (WHERE phase = 'during') AS sentiment_during,
        avg(sentiment) FILTER (WHERE phase = 'after') AS sentiment_after
    FROM about GROUP BY video_id
),
tags AS (
    SELECT video_id, tag, count(*) AS n, row_number() OVER (PARTITION BY video_id ORDER BY count(*) DESC, tag) AS place
    FROM (SELECT video_id, lower(unnest(hashtags)) AS tag FROM about)
    WHERE tag <> ''
    GROUP BY video_id, tag
),
top AS (SELECT video_id, list({'tag': tag, 'n': n} ORDER BY place) AS top_hashtags FROM tags WHERE place <= 10 GROUP BY video_id),
minutes AS (SELECT video_id, minute, count(*) AS n FROM about WHERE phase = 'during' GROUP BY video_id, minute),
-- A spike is a minute with three or more tweets and three times the mean per minute; the first of equal ones.
spikes AS (
    SELECT video_id, arg_max(minute, (n, -minute)) AS spike_minute, max(n) AS spike_tweets
    FROM minutes JOIN streams USING (video_id) JOIN counts USING (video_id)
    WHERE n >= 3 AND n >= 3 * tweets_during / greatest(1, ceil(duration_s / 60))
    GROUP BY video_id
)
SELECT
    video_id,
    coalesce(tweets, 0) AS tweets,
    coalesce(authors, 0) AS authors,
    coalesce(tweets_before, 0) AS tweets_before,
    coalesce(tweets_during, 0) AS tweets_during,
    coalesce(tweets_after, 0) AS tweets_after,
    sentiment_before, sentiment_during, sentiment_after,
    coalesce(top_hashtags, []) AS top_hashtags,
    spike_minute, spike_tweets
FROM streams
LEFT JOIN counts USING (video_id)
LEFT JOIN top USING (video_id)
LEFT JOIN spikes USING (video_id)
ORDER BY video_id
