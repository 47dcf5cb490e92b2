"""Numbers with their source: profiles, and fitting samples to a profile."""

from vsim.calibration.profile import Profile
from vsim.calibration.profile_file import builtin, load_profile, profile_schema

__all__ = ["Profile", "builtin", "load_profile", "profile_schema"]
