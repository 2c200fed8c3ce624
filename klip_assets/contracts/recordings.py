"""Tables about a recording: the file, its words, sound, chat and segments."""

from __future__ import annotations

from klip_assets.contracts.table import (
    BIGINT,
    DOUBLE,
    DOUBLES,
    INTEGER,
    STRINGS,
    column,
    count_column,
    declare,
    flag_column,
    score_column,
    seconds_column,
    sentiment_column,
    text_column,
    time_column,
)
from klip_assets.contracts.vocabulary import (
    EMOTION_SCORES,
    END_S,
    MODEL_ROW,
    SEGMENT_INDEX,
    START_S,
    T_S,
    VIDEO_ID,
)

VIDEOS = declare(
    "videos",
    "One row per recording in the inbox, including those that can't be read.",
    [
        VIDEO_ID,
        text_column("title", "Title, from the sidecar, `klip add --title` or the file name."),
        text_column("channel", "Channel or streamer."),
        text_column("game", "Game played: from `klip add --game`, or a category or chapter in the sidecar."),
        text_column("platform", "Where it was streamed, e.g. twitch or youtube."),
        text_column("url", "Page of the recording."),
        time_column("started_at", "When the stream started."),
        seconds_column("duration_s", "Length of the recording."),
        text_column("container", "Container format, as FFmpeg names it."),
        text_column("video_codec", "Video codec; NULL if there is no video."),
        column("width", INTEGER, "Width of the video.", unit="px", low=1),
        column("height", INTEGER, "Height of the video.", unit="px", low=1),
        column("fps", DOUBLE, "Frames per second.", unit="1/s", low=0),
        text_column("audio_codec", "Audio codec; NULL if there is no audio."),
        column("sample_rate_hz", INTEGER, "Sample rate of the audio.", unit="Hz", low=1),
        count_column("channels", "Audio channels."),
        count_column("audio_tracks", "Audio tracks that can be decoded."),
        count_column("audio_track", "Index of the track that is analysed, from 0."),
        text_column(
            "audio_track_why", "Why that one: the only one, the default one, the mix by its title, the loudest."
        ),
        column("size_bytes", BIGINT, "Size of the file.", unit="bytes", low=0),
        text_column("sha256", "SHA-256 of the file's content."),
        text_column("source_path", "The file, relative to the inbox."),
        column("caption_languages", STRINGS, "Languages of the caption sidecars."),
        flag_column("has_chat", "Whether there is a chat log beside the recording."),
        text_column("duplicate_of", "Earlier video with the same content."),
        text_column("status", "ok, partial (content is missing), no_audio, silent, duplicate or unreadable."),
        text_column(
            "error", "Why the recording can't be read, which content is missing, or what is odd about its clock."
        ),
        text_column("video_error", "What is wrong with the picture alone."),
        time_column("ingested_at", "When this row was written.", volatile=True),
    ],
    key=("video_id",),
    partition="video_id",
)

TRANSCRIPT_WORDS = declare(
    "transcript_words",
    "One row per spoken word.",
    [
        VIDEO_ID,
        count_column("word_index", "Index of the word in the video, from 0."),
        START_S,
        END_S,
        text_column("word", "The word, with punctuation where the source has it."),
        score_column("confidence", "Posterior probability of the word; NULL where the source gives none."),
        count_column("sentence_index", "Sentence the word belongs to, from 0."),
        text_column("language", "Language of the transcript (ISO 639-1)."),
        text_column("engine", "captions, faster-whisper or pocketsphinx."),
        text_column("engine_model", "Model of the engine, or the caption file."),
    ],
    key=("video_id", "word_index"),
    partition="video_id",
    published_as="view",
)

TRANSCRIPT_SOUNDS = declare(
    "transcript_sounds",
    "One row per sound noted in the transcript, as found; `sound_events` is made from it.",
    [
        VIDEO_ID,
        count_column("event_index", "Index of the event in the video, from 0."),
        START_S,
        END_S,
        text_column("label", "Kind of sound, as in sound_events."),
    ],
    key=("video_id", "event_index"),
    partition="video_id",
    published_as="nothing",
)

SOUND_EVENTS = declare(
    "sound_events",
    "One row per sound noted in captions, such as [laughter]; no rows where none is noted.",
    [
        VIDEO_ID,
        count_column("event_index", "Index of the event in the video, from 0."),
        START_S,
        END_S,
        text_column(
            "label",
            "laughter, music, singing, applause, cheering, booing, screaming, crying, gasping, sighing, groaning, "
            "coughing, snorting, breathing, whistling, gunshot, explosion, silence, speech (not transcribed), or "
            "the tag's own text.",
        ),
        text_column("source", "Engine of the transcript that notes it, as in transcript_words."),
    ],
    key=("video_id", "event_index"),
    partition="video_id",
)

AUDIO_FEATURES = declare(
    "audio_features",
    "One row per second (16 kHz mono); no rows where there is no sound at all.",
    [
        VIDEO_ID,
        T_S,
        column("rms_dbfs", DOUBLE, "Root mean square level; NULL where nothing is heard.", unit="dBFS"),
        column("peak_dbfs", DOUBLE, "Highest sample; NULL where nothing is heard.", unit="dBFS"),
        column("loudness_momentary_lufs", DOUBLE, "Loudest 400 ms in the second (ITU-R BS.1770).", unit="LUFS"),
        column("loudness_short_term_lufs", DOUBLE, "Loudness of the 3 s around it (EBU Tech 3341).", unit="LUFS"),
        column("loudness_z", DOUBLE, "Robust local z (median, MAD) of momentary loudness.", unit="sigma"),
        column("burst_z", DOUBLE, "Rise of loudness over the preceding seconds, in robust sigmas.", unit="sigma"),
        column("spectral_centroid_hz", DOUBLE, "Centre of the magnitude spectrum.", unit="Hz", low=0),
        column("spectral_flux", DOUBLE, "Mean rise of the log-mel spectrum between frames.", unit="dB", low=0),
        score_column("zero_crossing_rate", "Share of samples at which the sign changes."),
        column("pitch_hz", DOUBLE, "Median fundamental frequency of the voiced frames.", unit="Hz", low=0),
        score_column("voiced_share", "Share of frames with a clear pitch."),
        score_column("speech_share", "Share that a voice activity detector (Silero) classifies as speech."),
        column(
            "alpha_ratio_db",
            DOUBLE,
            "Energy of the voice at 1-5 kHz over 50 Hz-1 kHz; rises with effort.",
            unit="dB",
        ),
        column(
            "hammarberg_db", DOUBLE, "Strongest partial below 2 kHz over that at 2-5 kHz; falls with effort.", unit="dB"
        ),
        score_column("shout", "How raised the voice is, by tilt, pitch and level; NULL where no one speaks."),
        column("mfcc", DOUBLES, "13 mel-frequency cepstral coefficients, mean over the second."),
        score_column(
            "heard_share",
            "Share of the second that holds samples. 0 where there is no sound (late start, hole, damage): then all "
            "features are NULL. In digital silence it is 1, and only the levels are NULL.",
        ),
    ],
    key=("video_id", "t_s"),
    partition="video_id",
    published_as="view",
)

CHAT_MESSAGES = declare(
    "chat_messages",
    "One row per chat message.",
    [
        VIDEO_ID,
        count_column("message_index", "Index in the log by time, from 0."),
        column(
            "offset_s",
            DOUBLE,
            "When it was sent, from the start of the video: negative if earlier, beyond its length if after the end.",
            unit="s",
        ),
        text_column("author", "Who sent it: a salted hash, or the display name with KLIP_CHAT_KEEP_NAMES=1."),
        text_column("text", "The message."),
        column("emotes", STRINGS, "Emotes in the message, in order."),
        flag_column("is_bot", "Whether a known bot sent it, or it is a command."),
        sentiment_column("Sentiment of the message (lexicon)."),
    ],
    key=("video_id", "message_index"),
    partition="video_id",
    published_as="view",
)

CHAT_ACTIVITY = declare(
    "chat_activity",
    "One row per second of chat; no rows where there is no chat log.",
    [
        VIDEO_ID,
        T_S,
        count_column("messages", "Messages in the second, without bots."),
        count_column("unique_chatters", "People who wrote in the 10 s up to and including it."),
        score_column("emote_share", "Share of the messages that contain an emote."),
        score_column("laughter_share", "Share of the messages that contain laughter."),
        score_column(
            "repeated_share",
            "Share of the messages in the 10 s around it with the most repeated phrase; 0 unless 3 people write it.",
        ),
        sentiment_column("Mean sentiment of the messages."),
        column("rate_z", DOUBLE, "Robust local z of the message rate over 10 s.", unit="sigma"),
        column("lag_s", DOUBLE, "Seconds the chat is assumed to lag behind the video.", unit="s", low=0),
        text_column("lag_source", "estimated (from sound and chat of this video) or default (KLIP_CHAT_LAG_S)."),
    ],
    key=("video_id", "t_s"),
    partition="video_id",
)

SEGMENTS = declare(
    "segments",
    "One row per segment of about 30 s; segments cover the video, and every word is in exactly one.",
    [
        VIDEO_ID,
        SEGMENT_INDEX,
        START_S,
        END_S,
        text_column("text", "What is said, from the words."),
        count_column("word_count", "Words in the segment."),
        column("speech_rate_wps", DOUBLE, "Words per second.", unit="1/s", low=0),
        score_column("absolute_loudness", "Position between the video's 5th and 95th percentile of loudness."),
        score_column("relative_loudness", "clip((z + 3) / 6, 0, 1) of the robust local loudness z."),
        column("loudness_lufs", DOUBLE, "Energy-averaged short-term loudness.", unit="LUFS"),
        score_column("speech_share", "Share of the segment that is speech."),
    ],
    key=("video_id", "segment_index"),
    partition="video_id",
)

SEGMENT_SENTIMENT = declare(
    "segment_sentiment",
    "One row per segment: sentiment and emotions that a model finds in its text.",
    [
        VIDEO_ID,
        SEGMENT_INDEX,
        sentiment_column(),
        *EMOTION_SCORES,
        score_column("model_highlight_score", "How much it is worth watching, according to the model."),
        *MODEL_ROW,
        text_column("prompt_version", "Version of the prompt; NULL for tiers without one."),
        text_column("input_sha256", "SHA-256 of everything the model was given."),
    ],
    key=("video_id", "segment_index"),
    partition="video_id",
)
