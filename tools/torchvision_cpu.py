"""Let PyPI's torchvision be imported beside a CPU build of torch: run it with the Python of that environment.

Its compiled part is for CUDA and cannot be loaded there; its import then ends with "operator torchvision::nms does
not exist", though models of images need none of these operators. They are declared at the end of its `extension.py`,
so that the processes which vLLM starts know them too. Where a CPU build of torchvision is to be had, take that.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

DECLARED = """
if not _has_ops():  # added by tools/torchvision_cpu.py of abroad
    _DECLARED = torch.library.Library("torchvision", "DEF")
    for _name in ("nms", "qnms"):
        _DECLARED.define(f"{_name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
"""


def main() -> None:
    """Declare the operators, once."""
    found = importlib.util.find_spec("torchvision")
    if found is None or found.origin is None:
        raise SystemExit("torchvision is not installed here")
    file = Path(found.origin).with_name("extension.py")
    text = file.read_text(encoding="utf-8")
    if DECLARED not in text:
        file.write_text(text + DECLARED, encoding="utf-8")


if __name__ == "__main__":
    main()
