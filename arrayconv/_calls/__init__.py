"""What every front door shares once its arguments are translated: checks, the bound call, the cache of calls.

`prepare` checks and plans, `binding` makes the plan a function of the caller's arrays, `cache` remembers it, `tape`
records it for `vjp`, `explanation` and `timing` describe it. No door's own rules: these are in the door's package.
"""
