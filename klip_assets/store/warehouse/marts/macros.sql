-- The 95 % score interval of a share (Wilson, Probable inference, the law of succession, and statistical inference,
-- 1927): unlike the normal approximation it stays within 0..1 and is not empty where all or none agree. NULL without
-- cases.
CREATE OR REPLACE TEMP MACRO wilson_low(k, n) AS
    CASE WHEN n > 0 THEN greatest(
        0, (k / n + 1.9207294 / n - 1.95996398 * sqrt((k / n * (1 - k / n) + 0.9603647 / n) / n)) / (1 + 3.8414588 / n)
    ) END;
CREATE OR REPLACE TEMP MACRO wilson_high(k, n) AS
    CASE WHEN n > 0 THEN least(
        1, (k / n + 1.9207294 / n + 1.95996398 * sqrt((k / n * (1 - k / n) + 0.9603647 / n) / n)) / (1 + 3.8414588 / n)
    ) END;

-- A key that links to the same page share: the id of a YouTube video, else host and path.
CREATE OR REPLACE TEMP MACRO page_key(url) AS
    CASE WHEN regexp_matches(url, '(?i)^https?://([a-z]+\.)?(youtu\.be/.|youtube\.com/(.*[?&]v=|live/|shorts/|embed/).)')
        THEN 'youtube:' || regexp_extract(url, '(?:[?&]v=|youtu\.be/|/live/|/shorts/|/embed/)([A-Za-z0-9_-]+)', 1)
        ELSE rtrim(regexp_replace(
            regexp_replace(lower(url), '^https?://((www|m|mobile|go)\.)?', ''), '[?#].*$', ''), '/') END;

-- Whether a text is in a script without spaces between words, so that a name can occur inside a run of letters.
CREATE OR REPLACE TEMP MACRO is_unspaced(words) AS
    regexp_matches(words, '[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}]');

-- A text in lower case, with everything except letters, marks and digits replaced by spaces. ASCII takes a fast path.
CREATE OR REPLACE TEMP MACRO spaced(words) AS
    CASE WHEN len(words) = strlen(words)
        THEN translate(lower(words), e'!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~\t\n\r', repeat(' ', 35))
        ELSE regexp_replace(lower(words), '[^\p{L}\p{M}\p{N}]', ' ', 'g') END;

-- The same with single spaces and trimmed, for comparing words with words.
CREATE OR REPLACE TEMP MACRO words_of(words) AS trim(regexp_replace(spaced(words), ' +', ' ', 'g'));

-- The ids of names that some tweets give without an id: one file names a person by id, another by name. By the day, as
-- names change hands; `day` is NULL where all days agree on one id. Names are in lower case, as X takes them. The name
-- shown belongs to anyone, and has no id.
CREATE OR REPLACE TEMP MACRO ids_of_names() AS TABLE
    WITH named AS (
        SELECT DISTINCT day, lower(author) AS name, author_id AS id
        FROM tweets
        WHERE author_id IS NOT NULL AND NOT coalesce(author_is_shown_name, false)
            AND lower(author) IN (SELECT lower(author) FROM tweets WHERE author_id IS NULL AND author IS NOT NULL)
    )
    SELECT day, name, min(id) AS id FROM named
    GROUP BY GROUPING SETS ((day, name), (name))
    HAVING count(DISTINCT id) = 1;

-- A person: by id where one is known, else by name; NULL where neither is.
CREATE OR REPLACE TEMP MACRO person(author_id, named_id, author) AS
    coalesce('id ' || coalesce(author_id, named_id), 'name ' || lower(author));

-- A sum of counts as a BIGINT: a file may claim counts whose sum is beyond it.
CREATE OR REPLACE TEMP MACRO at_most_bigint(n) AS
    coalesce(try_cast(n AS BIGINT), if(n IS NOT NULL, 9223372036854775807, NULL));
