"""Numbers with their source: profiles, and fitting samples to a profile."""
