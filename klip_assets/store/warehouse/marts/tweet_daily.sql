-- The row of one day. Reads `tweets` and `sentiment` of that day; $day is the day.
--
-- Retweets are counted, but their authors and texts are not: sentiment, emotions and hashtags come from original tweets
-- only. Failed and skipped rows have no scores and do not enter the shares.
WITH own AS (
    SELECT * FROM tweets WHERE day = $day AND NOT coalesce(is_retweet, false)
),
scored AS (
    SELECT
        s.*,
        -- Logarithmic: ten times the engagement adds a vote or two, not ten times the weight.
        1 + ln(1 + coalesce(o.like_count, 0)::DOUBLE + coalesce(o.retweet_count, 0)::DOUBLE
                 + coalesce(o.reply_count, 0)::DOUBLE + coalesce(o.quote_count, 0)::DOUBLE) AS weight
    FROM own AS o JOIN sentiment AS s USING (tweet_id)
    ORDER BY tweet_id
),
counts AS (
    SELECT
        count(*) FILTER (WHERE NOT coalesce(is_retweet, false)) AS tweets,
        count(*) FILTER (WHERE coalesce(is_retweet, false)) AS retweets,
        count(DISTINCT person(author_id, named.id, author))
            FILTER (WHERE NOT coalesce(is_retweet, false)) AS known_authors
    FROM tweets
    LEFT JOIN (FROM ids_of_names() WHERE day IS NOT NULL) AS named
        ON named.day = tweets.day AND named.name = lower(author) AND author_id IS NULL
            AND NOT coalesce(author_is_shown_name, false)
    WHERE tweets.day = $day
    HAVING count(*) > 0
),
scores AS (
    SELECT
        count(sentiment) AS n,
        avg(sentiment) AS mean_sentiment,
        sum(sentiment * weight) / sum(weight) FILTER (WHERE sentiment IS NOT NULL) AS weighted_sentiment,
        count(*) FILTER (WHERE sentiment IS NOT NULL AND label = 'positive') AS positive,
        count(*) FILTER (WHERE sentiment IS NOT NULL AND label = 'neutral') AS neutral_ones,
        count(*) FILTER (WHERE sentiment IS NOT NULL AND label = 'negative') AS negative,
        count(*) FILTER (WHERE status = 'fallback')::DOUBLE
            / nullif(count(*) FILTER (WHERE status NOT IN ('skipped', 'failed')), 0) AS fallback_share,
        avg(excitement) AS excitement, avg(amusement) AS amusement, avg(joy) AS joy, avg(anger) AS anger,
        avg(sadness) AS sadness, avg(surprise) AS surprise, avg(disgust) AS disgust, avg(fear) AS fear,
        avg(neutral) AS neutral
    FROM scored
),
-- A Poisson bootstrap (Chamandy et al., Estimating uncertainty for massive data streams, 2012): in each of 200
-- replicates a tweet counts 0, 1, 2 ... times, drawn from a Poisson distribution with mean 1; the draw is a hash of its
-- id and the replicate, so that equal tweets always give an equal interval.
draws AS (
    SELECT replicate, sentiment, hash(tweet_id, replicate) / 18446744073709551616.0 AS u
    FROM scored, range(200) AS r(replicate)
    WHERE sentiment IS NOT NULL
),
times AS (
    SELECT replicate, sentiment, CASE
            WHEN u < 0.36787944 THEN 0 WHEN u < 0.73575888 THEN 1 WHEN u < 0.91969860 THEN 2
            WHEN u < 0.98101184 THEN 3 WHEN u < 0.99634015 THEN 4 WHEN u < 0.99940582 THEN 5 ELSE 6 END AS n
    FROM draws
),
replicates AS (
    SELECT sum(sentiment * n) / sum(n) AS mean FROM times GROUP BY replicate HAVING sum(n) > 0
),
mean_interval AS (
    SELECT quantile_cont(mean, 0.025) AS low, quantile_cont(mean, 0.975) AS high FROM replicates
),
hashtag_counts AS (
    SELECT tag, count(*) AS n
    FROM (SELECT lower(unnest(hashtags)) AS tag FROM own)
    WHERE tag IS NOT NULL
    GROUP BY tag
    ORDER BY n DESC, tag
    LIMIT 10
)
SELECT
    $day::DATE AS day,
    tweets,
    CASE WHEN tweets = 0 OR known_authors > 0 THEN known_authors END AS authors,
    retweets,
    -- Rounding may lift a mean of ones above 1. greatest and least alone would turn NULL into 1.
    CASE WHEN mean_sentiment IS NOT NULL THEN greatest(-1, least(1, mean_sentiment)) END AS mean_sentiment,
    -- A single tweet gives no interval.
    CASE WHEN n > 1 THEN greatest(-1, least(1, low)) END AS mean_sentiment_low,
    CASE WHEN n > 1 THEN greatest(-1, least(1, high)) END AS mean_sentiment_high,
    CASE WHEN weighted_sentiment IS NOT NULL THEN greatest(-1, least(1, weighted_sentiment)) END AS weighted_sentiment,
    positive / nullif(n, 0) AS positive_share,
    wilson_low(positive, n) AS positive_share_low,
    wilson_high(positive, n) AS positive_share_high,
    neutral_ones / nullif(n, 0) AS neutral_share,
    wilson_low(neutral_ones, n) AS neutral_share_low,
    wilson_high(neutral_ones, n) AS neutral_share_high,
    negative / nullif(n, 0) AS negative_share,
    wilson_low(negative, n) AS negative_share_low,
    wilson_high(negative, n) AS negative_share_high,
    -- The emotion with the highest mean, the first listed of equal ones; neutral only if no other shows.
    CASE greatest(excitement, amusement, joy, anger, sadness, surprise, disgust, fear)
        WHEN 0 THEN if(neutral IS NOT NULL, 'neutral', NULL)
        WHEN excitement THEN 'excitement' WHEN amusement THEN 'amusement' WHEN joy THEN 'joy' WHEN anger THEN 'anger'
        WHEN sadness THEN 'sadness' WHEN surprise THEN 'surprise' WHEN disgust THEN 'disgust' WHEN fear THEN 'fear'
        ELSE if(neutral IS NOT NULL, 'neutral', NULL) END AS dominant_emotion,
    coalesce(
        (SELECT list({'tag': tag, 'n': n} ORDER BY n DESC, tag) FROM hashtag_counts), []
    ) AS top_hashtags,
    fallback_share
FROM counts, scores, mean_interval
