"""What a space of image classifiers asks of the data set's task."""

from __future__ import annotations

from nasctl.core import Task
from nasctl.errors import RequestError


def check_images(family: str, task: Task, halvings: int = 2) -> None:
    """Raise `RequestError` unless ``task`` is to classify images that can be halved so often."""
    if task.kind != "image_classification":
        raise RequestError(
            f"space={family} builds image classifiers, but the data set's task is {task.kind}; "
            "choose a data set of images or a space for that task"
        )
    _, height, width = task.input_shape
    if height % 2**halvings or width % 2**halvings:
        raise RequestError(
            f"space={family} halves the map {'twice' if halvings == 2 else f'{halvings} times'}, which images of "
            f"{height}x{width} pixels do not allow; choose images whose sides are multiples of {2**halvings} "
            "(dataset.image_size)"
        )
