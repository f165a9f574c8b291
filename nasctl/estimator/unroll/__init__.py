"""The gradient of a relaxed architecture: how far the step of the weights is looked ahead."""
