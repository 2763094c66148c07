"""What every public function shares once its arguments are translated: checks, the bound call, the cache of calls.

`prepare` checks and plans, `binding` turns the plan into a function of the caller's arrays, `cache` stores it, `tape`
records it for `vjp`, `explanation` and `timing` describe it. Rules of a single public function are in its own package.
"""
