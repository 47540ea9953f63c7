"""Right, wrong or undecided, without a model: what an answer says, how two answers differ, and codes that hint at why.
What cannot be told from the words alone is left undecided, never guessed."""

from augment_correction.grading.catalogue import CATALOGUE, Code, pattern_of
from augment_correction.grading.codes import error_codes
from augment_correction.grading.contrast import Contrast, contrast
from augment_correction.grading.match import Grade, How, grade

__all__ = ["CATALOGUE", "Code", "Contrast", "Grade", "How", "contrast", "error_codes", "grade", "pattern_of"]
