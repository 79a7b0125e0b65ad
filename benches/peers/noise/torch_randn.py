"""PyTorch's float32 `randn` (Box-Muller over the Mersenne Twister), on one thread, into a tensor that is kept."""

from __future__ import annotations

import torch

FILLS = 8  # A call, so that its own cost is small beside theirs.


class Task:
    def __init__(self, elements: int) -> None:
        torch.set_num_threads(1)
        self._elements = elements
        self._out = torch.empty(elements)
        self.about = f"PyTorch {torch.__version__}"

    def work(self) -> tuple[int, None]:
        for _ in range(FILLS):
            torch.randn(self._elements, out=self._out)
        return FILLS * self._elements, None
