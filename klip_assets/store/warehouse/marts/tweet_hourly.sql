-- Tweets by UTC hour. Retweets are counted, but do not enter the sentiment, since their text is not their author's own.
SELECT
    date_trunc('hour', created_at) AS hour_at,
    day,
    count(*) FILTER (WHERE NOT is_retweet) AS tweets,
    count(DISTINCT who) FILTER (WHERE NOT is_retweet) AS authors,
    count(*) FILTER (WHERE is_retweet) AS retweets,
    -- Decimals, so that the mean does not depend on the order of the rows.
    avg(sentiment::DECIMAL(10, 9)) FILTER (WHERE NOT is_retweet) AS mean_sentiment,
    count(*) FILTER (WHERE NOT is_retweet AND label = 'positive' AND sentiment IS NOT NULL)
        / nullif(count(sentiment) FILTER (WHERE NOT is_retweet), 0) AS positive_share,
    count(*) FILTER (WHERE NOT is_retweet AND label = 'negative' AND sentiment IS NOT NULL)
        / nullif(count(sentiment) FILTER (WHERE NOT is_retweet), 0) AS negative_share
FROM (
    SELECT
        tweets.* REPLACE (coalesce(is_retweet, false) AS is_retweet),
        person(author_id, named.id, author) AS who
    FROM tweets
    LEFT JOIN (FROM ids_of_names() WHERE day IS NOT NULL) AS named
        ON named.day = tweets.day AND named.name = lower(author) AND author_id IS NULL
            AND NOT coalesce(author_is_shown_name, false)
)
LEFT JOIN (SELECT tweet_id, sentiment, label FROM tweet_sentiment) USING (tweet_id)
GROUP BY ALL
ORDER BY hour_at
