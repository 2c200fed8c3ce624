"""The LLM tier: any OpenAI-compatible endpoint, a chain of models, every call on record and within a budget.

The way of a text, module by module: `prompt` says what is asked, `reader` sends each text down the chain of `models`,
`channel` calls one model (retries, breaker, pace) through `client`, and `answer` takes the reply apart. Good replies
and the ledger of calls are kept in `store.state`.

Put here: asking language models, and taking nothing from them but valid answers.
Keep out: other tiers; how replies and calls are stored.
"""
