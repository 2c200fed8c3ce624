-- A hashtag on a UTC day: how much it is used, compared with the seven days before, and its trend. Days without any
-- known tweets count as unknown, not as zero. Retweets only repeat someone else's hashtag and are left out.
WITH uses AS (
    SELECT
        tweets.day, tweet_id, person(author_id, named.id, author) AS who,
        unnest(list_distinct(list_transform(hashtags, lambda tag: lower(tag)))) AS tag
    FROM tweets
    LEFT JOIN (FROM ids_of_names() WHERE day IS NOT NULL) AS named
        ON named.day = tweets.day AND named.name = lower(author) AND author_id IS NULL
            AND NOT coalesce(author_is_shown_name, false)
    WHERE NOT coalesce(is_retweet, false) AND len(hashtags) > 0
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
days AS (
    SELECT
        day,
        count(*) OVER (ORDER BY day RANGE BETWEEN 7 PRECEDING AND 1 PRECEDING) AS known_days,
        lag(day) OVER (ORDER BY day) = day - 1 AS is_day_before_known
    FROM (SELECT DISTINCT day FROM tweets)
),
measured AS (
    SELECT
        *,
        -- Known days of the window on which it was not used count as zero.
        CASE WHEN known_days >= 3 THEN list_median(
            list_resize(coalesce(earlier, []), known_days, 0::BIGINT)
        ) END AS usual_tweets,
        -- NULL if the day before is unknown; zero if the tag was not used on it.
        CASE WHEN is_day_before_known THEN if(last_day = day - 1, last_tweets, 0) END AS tweets_before
    FROM (
        SELECT
            *,
            list(tweets) OVER (PARTITION BY tag ORDER BY day RANGE BETWEEN 7 PRECEDING AND 1 PRECEDING) AS earlier,
            lag(day) OVER by_tag AS last_day,
            lag(tweets) OVER by_tag AS last_tweets
        FROM used
        WINDOW by_tag AS (PARTITION BY tag ORDER BY day)
    )
    JOIN days USING (day)
)
SELECT
    day, tag, tweets, authors,
    usual_tweets,
    -- greatest alone would turn NULL into 1.
    CASE WHEN usual_tweets IS NOT NULL THEN tweets / greatest(usual_tweets, 1) END AS velocity,
    mean_sentiment, positive_share, negative_share,
    CASE
        WHEN known_days = 0 THEN NULL
        WHEN last_day IS NULL THEN 'new'
        WHEN usual_tweets IS NULL OR greatest(tweets, usual_tweets, coalesce(tweets_before, 0)) < 5 THEN NULL
        WHEN tweets < 0.9 * tweets_before AND tweets_before >= 1.5 * greatest(usual_tweets, 1) THEN 'fading'
        WHEN tweets <= usual_tweets / 1.5 THEN 'fading'
        WHEN tweets >= 1.5 * greatest(usual_tweets, 1) AND tweets > 1.1 * coalesce(tweets_before, 0) THEN 'rising'
        WHEN tweets >= 1.5 * greatest(usual_tweets, 1) THEN 'peaking'
        ELSE 'steady'
    END AS trend
FROM measured
ORDER BY day, tag
