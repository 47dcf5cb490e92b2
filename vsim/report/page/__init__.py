"""The page: a comparison as one self-contained HTML file, with sliders over what was simulated.

``build(study(scenario, profile, runner))`` simulates and returns the file's text; ``build(study_of(result, profile))``
makes it of a result that is there already, and ``study_around`` simulates the sliders of one.
"""

from vsim.report.page.render import build
from vsim.report.page.study import Study, study, study_around, study_of

__all__ = ["Study", "build", "study", "study_around", "study_of"]
