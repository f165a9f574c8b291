"""One thread: the tests' networks are too small for two, and a busy neighbour would slow two many times."""

import torch

torch.set_num_threads(1)
