"""The loop on this host, in one command: measure, calibrate on a part, predict the rest, and say how far off it is.

``python -m benchmarks.validate`` (or ``make validate``) takes about a quarter of an hour on an idle host.
"""
