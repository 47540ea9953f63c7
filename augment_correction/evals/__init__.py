"""Did a model learn to correct itself, and to stand by what is right? Two turns, base and tuned side by side."""

from augment_correction.evals.config import EvalConfig, load_evaluation
from augment_correction.evals.running import Evaluation, evaluate, evaluate_async

__all__ = ["EvalConfig", "Evaluation", "evaluate", "evaluate_async", "load_evaluation"]
