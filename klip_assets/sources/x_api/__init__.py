"""Posts of the X API, version 2: asked for, laid into the tweet inbox as they come, each once."""
