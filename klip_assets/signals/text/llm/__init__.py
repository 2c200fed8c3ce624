"""The LLM tier: any OpenAI-compatible endpoint, a chain of models, every call on record and within a budget.

The way of a text, module by module: `prompt` says what is asked, `reader` sends each text down the chain of `models`,
`channel` calls one model (retries, breaker, pace) through `client`, `answer` takes the reply apart, and `store` keeps
good replies, the ledger of calls and the budget.
"""
