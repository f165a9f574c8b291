"""One thread: the tests' networks are too small for two, and a second busy process would slow them many times."""

import torch

torch.set_num_threads(1)
