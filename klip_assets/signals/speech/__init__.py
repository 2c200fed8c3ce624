"""Who said what when: captions and recognizers to timed words, words to sentences and segments."""
