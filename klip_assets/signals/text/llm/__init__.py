"""The LLM tier: any OpenAI-compatible endpoint, a chain of models, every call recorded and within a budget.

Path of a text through the modules: `prompt` builds the messages, `reader` sends each text down the chain of `models`,
`channel` calls one model (retries, circuit breaker, pacing) in its `dialect` through `client`, `response` reads what
comes back, and `answer` finds the label in it, after all `thoughts`. `usage` says what each request is booked at. Valid
replies and the ledger of calls are stored in `store.state`.

Put here: asking language models, and accepting only valid answers.
Keep out: other tiers; how replies and calls are stored.
"""
