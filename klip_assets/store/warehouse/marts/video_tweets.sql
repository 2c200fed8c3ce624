-- Tweets about a stream: written from an hour before it starts to a day after it ends, and naming its page, its channel,
-- a phrase of its title, or its game. One row per pair, with the most certain of these reasons.
--
-- Names are compared as words: in lower case, with everything except letters and digits replaced by spaces. Names in
-- scripts without spaces (Han, Kana, Hangul, Thai) are searched for as substrings.
WITH streams AS (
    SELECT
        video_id, platform, url, title, game,
        started_at AS start_at,
        started_at - INTERVAL 1 HOUR AS from_at,
        started_at + to_milliseconds((duration_s * 1000)::BIGINT) + INTERVAL 24 HOUR AS until_at,
        regexp_replace(lower(channel), '[^\p{L}\p{M}\p{N}_]', '', 'g') AS handle,
        words_of(channel) AS channel_words,
        words_of(game) AS game_words
    FROM videos
    WHERE started_at IS NOT NULL AND duration_s IS NOT NULL AND duplicate_of IS NULL
),
phrases AS (
    SELECT video_id, words_of(phrase) AS words
    FROM (SELECT video_id, unnest(regexp_split_to_array(title, '\s+[-–—:~/]\s+|[|｜•·「」【】\[\]()]|:\s')) AS phrase FROM streams)
),
-- Names of a stream: 'page' is compared with links, 'tag' with hashtags, 'mention' with mentions, 'words' with text.
names AS (
    SELECT DISTINCT * FROM (
        SELECT video_id, 'url' AS reason, 'page' AS kind, page_key(url) AS name FROM streams
        UNION ALL SELECT video_id, 'url', 'page', 'twitch.tv/' || handle FROM streams WHERE platform = 'twitch'
        UNION ALL SELECT video_id, 'url', 'page', 'youtube.com/@' || handle FROM streams WHERE platform = 'youtube'
        UNION ALL SELECT video_id, 'channel', 'mention', handle FROM streams WHERE len(handle) >= 3
        UNION ALL SELECT video_id, 'channel', 'tag', handle FROM streams WHERE len(handle) >= 3
        -- A channel name under five letters is mostly an everyday word and rarely means the channel.
        UNION ALL SELECT video_id, 'channel', 'words', channel_words FROM streams WHERE len(channel_words) >= 5
        UNION ALL SELECT video_id, 'title', 'words', words FROM phrases
            WHERE (contains(words, ' ') AND len(words) >= 8) OR (is_unspaced(words) AND len(words) >= 4)
        UNION ALL SELECT video_id, 'title', 'tag', replace(words, ' ', '') FROM phrases
            WHERE (contains(words, ' ') AND len(words) >= 8) OR (is_unspaced(words) AND len(words) >= 4)
        UNION ALL SELECT video_id, 'game', 'words', game_words FROM streams
            WHERE len(game_words) >= 4 OR (is_unspaced(game_words) AND len(game_words) >= 2)
        UNION ALL SELECT video_id, 'game', 'tag', replace(game_words, ' ', '') FROM streams WHERE len(game_words) >= 3
    )
    WHERE name <> ''
),
around AS (
    SELECT tweet_id, created_at, day, text, urls, mentions, hashtags
    FROM tweets
    WHERE created_at BETWEEN (SELECT min(from_at) FROM streams) AND (SELECT max(until_at) FROM streams)
),
said AS (
    SELECT DISTINCT tweet_id, 'page' AS kind, page_key(unnest(urls)) AS name FROM around WHERE len(urls) > 0
    UNION ALL SELECT DISTINCT tweet_id, 'mention', lower(unnest(mentions)) FROM around WHERE len(mentions) > 0
    UNION ALL SELECT DISTINCT tweet_id, 'tag', lower(unnest(hashtags)) FROM around WHERE len(hashtags) > 0
),
phrase_names AS (SELECT DISTINCT name, split_part(name, ' ', 1) AS first_word FROM names WHERE kind = 'words'),
-- A phrase is searched for only in tweets that contain its first word.
first_words AS (
    SELECT tweet_id, word
    FROM (SELECT tweet_id, unnest(string_split(spaced(text), ' ')) AS word FROM around)
    SEMI JOIN phrase_names ON word = first_word
),
candidates AS (
    SELECT tweet_id, ' ' || words_of(text) || ' ' AS words
    FROM around SEMI JOIN first_words USING (tweet_id)
),
phrased AS (
    SELECT DISTINCT tweet_id, 'words' AS kind, name
    FROM first_words
    JOIN phrase_names ON word = first_word AND NOT is_unspaced(name)
    JOIN candidates USING (tweet_id)
    WHERE contains(words, ' ' || name || ' ')
    UNION ALL
    SELECT tweet_id, 'words', name
    FROM phrase_names JOIN around ON contains(words_of(text), name)
    WHERE is_unspaced(name)
),
matched AS (
    SELECT n.video_id, f.tweet_id, n.reason
    FROM (FROM said UNION ALL FROM phrased) AS f JOIN names AS n USING (kind, name)
)
SELECT
    video_id, tweet_id, t.day,
    CASE min(list_position(['url', 'channel', 'title', 'game'], reason))
        WHEN 1 THEN 'url' WHEN 2 THEN 'channel' WHEN 3 THEN 'title' ELSE 'game' END AS reason,
    (epoch_us(t.created_at) - epoch_us(s.start_at)) / 1e6 AS offset_s
FROM matched
JOIN streams AS s USING (video_id)
JOIN around AS t USING (tweet_id)
WHERE t.created_at BETWEEN s.from_at AND s.until_at
GROUP BY ALL
ORDER BY video_id, offset_s, tweet_id
