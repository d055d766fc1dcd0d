"""Estimators, checks and exhibits for school-level trials.

The library is a set of pure functions on arrays and frames. It knows nothing of the workflow that
calls it, of paths or of global state. Data flow one way: ``protocol`` → ``data`` → ``checks``,
``models`` → ``exhibits`` → ``report``.
"""
