"""Replications, intervals, sweeps and sensitivity; in local processes or on a Dask cluster."""
