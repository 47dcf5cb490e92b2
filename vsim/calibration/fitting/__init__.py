"""Fitting samples to a profile: what was measured on a host becomes layers, stacks and a machine.

calibration = fit(read_samples("mine.jsonl"))
calibration.profile     the built-in profile with what was fitted on top
calibration.text        the profile file
calibration.report      what was fitted, and what was left to the lower source and why
"""

from vsim.calibration.fitting.fit import Calibration, Report, calibrate, fit
from vsim.calibration.fitting.selection import machine_name
from vsim.calibration.fitting.starts import Search

__all__ = ["Calibration", "Report", "Search", "calibrate", "fit", "machine_name"]
