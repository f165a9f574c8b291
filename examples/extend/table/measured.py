"""A table: errors that were measured elsewhere, by architecture."""

from nasctl.core import Architecture, Candidate, EstimatorContext, Evaluation, Metrics
from nasctl.errors import RequestError
from nasctl.estimator._independent import IndependentEstimator


class Measured(IndependentEstimator):
    """Looks the validation error of an architecture up by its notation in the space."""

    error_kind = "table (val)"

    def __init__(self, context: EstimatorContext, *, errors: dict[str, float]) -> None:
        self.space, self.errors = context.space, errors

    def evaluate(self, candidate: Candidate, index: int) -> Evaluation:
        return Evaluation(self.look_up(candidate.arch))

    def look_up(self, arch: Architecture) -> Metrics:
        """Return error in percent and accuracy in [0, 1]."""
        name = self.space.format.notation(self.space.genotype(arch))
        if name not in self.errors:
            raise RequestError(f"estimator.errors: has none for {name}; add it")
        return {"error": self.errors[name], "accuracy": 1 - self.errors[name] / 100}
