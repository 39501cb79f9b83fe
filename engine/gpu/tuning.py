"""torch's own switches for CUDA, each through its real interface."""

from typing import Any


def tune(torch: Any) -> None:
    """Let torch be fast: TF32 where it computes in float32, its fused attentions allowed.

    Works without a GPU too, and changes nothing on the CPU. cuDNN's benchmark mode stays off: it
    would try all algorithms anew for every length of window. Its attention stays as torch has it.
    """
    backends = torch.backends
    # These two are properties: assigning them is how they are set.
    backends.cuda.matmul.allow_tf32 = True
    backends.cudnn.allow_tf32 = True
    # These are functions; assigning to them would replace them and switch nothing.
    backends.cuda.enable_flash_sdp(True)
    backends.cuda.enable_mem_efficient_sdp(True)
    backends.cuda.enable_math_sdp(True)  # what is left where none of the others can
