-- Tweets of one author on one UTC day, and the responses to them. Tweets without an author are left out. Whom one file
-- names by id and another by name is one author.
WITH own AS (
    SELECT
        tweets.* REPLACE (
            coalesce(is_retweet, false) AS is_retweet, coalesce(author_id, that_day.id, any_day.id) AS author_id
        )
    FROM tweets
    LEFT JOIN (FROM ids_of_names() WHERE day IS NOT NULL) AS that_day
        ON that_day.day = tweets.day AND that_day.name = lower(author) AND author_id IS NULL
            AND NOT coalesce(author_is_shown_name, false)
    LEFT JOIN (FROM ids_of_names() WHERE day IS NULL) AS any_day
        ON any_day.name = lower(author) AND author_id IS NULL
            AND NOT coalesce(author_is_shown_name, false)
)
SELECT
    day,
    -- A name of digits is no id.
    coalesce(author_id, if(regexp_full_match(author, '[0-9]+'), '@', '') || lower(author)) AS author_key,
    -- Of two ids the longer is the larger number, and of two as long the one that sorts last.
    max_by(author, (len(tweet_id), tweet_id)) AS author,
    max(author_id) AS author_id,
    count(*) FILTER (WHERE NOT is_retweet) AS tweets,
    count(*) FILTER (WHERE is_retweet) AS retweets,
    count(in_reply_to) FILTER (WHERE NOT is_retweet) AS replies,
    at_most_bigint(sum(like_count) FILTER (WHERE NOT is_retweet)) AS likes_received,
    at_most_bigint(sum(retweet_count) FILTER (WHERE NOT is_retweet)) AS retweets_received,
    avg(sentiment::DECIMAL(10, 9)) FILTER (WHERE NOT is_retweet) AS mean_sentiment,
    count(*) FILTER (WHERE NOT is_retweet AND label = 'positive' AND sentiment IS NOT NULL)
        / nullif(count(sentiment) FILTER (WHERE NOT is_retweet), 0) AS positive_share,
    count(*) FILTER (WHERE NOT is_retweet AND label = 'negative' AND sentiment IS NOT NULL)
        / nullif(count(sentiment) FILTER (WHERE NOT is_retweet), 0) AS negative_share
FROM own
LEFT JOIN (SELECT tweet_id, sentiment, label FROM tweet_sentiment) USING (tweet_id)
WHERE coalesce(author_id, author) IS NOT NULL
GROUP BY day, author_key
ORDER BY day, author_key
