"""What a space of image classifiers asks of the data set's task."""

from __future__ import annotations

from nasctl import task_kinds
from nasctl.core import Task
from nasctl.errors import RequestError
from nasctl.task_kinds import IMAGES


def check_images(family: str, task: Task, halvings: int = 2) -> None:
    """Raise `RequestError` unless ``task`` is to classify images that can be halved so often."""
    task_kinds.check(task, (IMAGES,), f"space={family} builds image classifiers", " or a space for that task")
    _, height, width = task.input_shape
    if height % 2**halvings or width % 2**halvings:
        raise RequestError(
            f"space={family} halves the map {'twice' if halvings == 2 else f'{halvings} times'}, which images of "
            f"{height}x{width} pixels do not allow; choose images whose sides are multiples of {2**halvings} "
            "(dataset.image_size)"
        )
