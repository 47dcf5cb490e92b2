"""A real host: drivers, probe, payload, environment record."""
