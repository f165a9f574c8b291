"""What a space of image classifiers asks of the data set's task."""

from __future__ import annotations

from nasctl import task_kinds
from nasctl.core import Task
from nasctl.errors import RequestError
from nasctl.task_kinds import IMAGES


def check_images(family: str, task: Task) -> None:
    """Raise `RequestError` unless ``task`` is to classify images that can be halved twice."""
    task_kinds.check(task, (IMAGES,), f"space={family} builds image classifiers", " or a space for that task")
    _, height, width = task.input_shape
    if height % 4 or width % 4:
        raise RequestError(
            f"space={family} halves the map twice, which images of {height}x{width} pixels do not "
            "allow; choose images whose sides are multiples of 4 (dataset.image_size)"
        )
