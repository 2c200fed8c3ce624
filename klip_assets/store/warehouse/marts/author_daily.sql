-- Tweets of one author on one UTC day, and the responses to them. Tweets without an author are left out.
SELECT
    day,
    coalesce(author_id, lower(author)) AS author_key,
    max_by(author, tweet_id) AS author,
    max(author_id) AS author_id,
    count(*) FILTER (WHERE NOT is_retweet) AS tweets,
    count(*) FILTER (WHERE is_retweet) AS retweets,
    count(in_reply_to) FILTER (WHERE NOT is_retweet) AS replies,
    sum(like_count) FILTER (WHERE NOT is_retweet)::BIGINT AS likes_received,
    sum(retweet_count) FILTER (WHERE NOT is_retweet)::BIGINT AS retweets_received,
    avg(sentiment::DECIMAL(10, 9)) FILTER (WHERE NOT is_retweet) AS mean_sentiment,
    count(*) FILTER (WHERE NOT is_retweet AND label = 'positive' AND sentiment IS NOT NULL)
        / nullif(count(sentiment) FILTER (WHERE NOT is_retweet), 0) AS positive_share,
    count(*) FILTER (WHERE NOT is_retweet AND label = 'negative' AND sentiment IS NOT NULL)
        / nullif(count(sentiment) FILTER (WHERE NOT is_retweet), 0) AS negative_share
FROM (SELECT * REPLACE (coalesce(is_retweet, false) AS is_retweet) FROM tweets)
LEFT JOIN (SELECT tweet_id, sentiment, label FROM tweet_sentiment) USING (tweet_id)
WHERE coalesce(author_id, author) IS NOT NULL
GROUP BY day, author_key
ORDER BY day, author_key
