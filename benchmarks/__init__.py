"""The benchmarks of domctx: what it costs, next to what others cost on the same work.

`make bench` runs them all and rewrites docs/reference/benchmarks.md and its plots;
`python -m benchmarks --help` says what else there is.
"""
