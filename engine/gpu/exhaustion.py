"""Whether an error means that memory ran out, on the GPU or in the machine."""

TEXTS = (
    "cuda out of memory",  # torch's caching allocator
    "cuda error: out of memory",  # a CUDA call outside of it, pinned memory too
    "cuda driver error: out of memory",  # the allocator with expandable segments
    "cublas_status_alloc_failed",
    "cudnn_status_alloc_failed",
    "cudnn_status_internal_error_device_allocation_failed",
    "cufft_alloc_failed",
    "cusolver_status_alloc_failed",
    "defaultcpuallocator: can't allocate memory",  # Linux
    "defaultcpuallocator: not enough memory",  # Windows
    "bad_alloc",  # C++, GCC's
    "bad allocation",  # C++, Microsoft's
)
"""Parts of what torch's plain RuntimeErrors say, in lower case."""


def out_of_memory(error: BaseException) -> bool:
    """Whether a smaller batch may help: memory ran out, on whichever device."""
    # By name: torch need not be imported here, and an error of its cannot come up before it is.
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if kinds & {"OutOfMemoryError", "MemoryError"}:
        return True
    said = str(error).lower()
    return isinstance(error, RuntimeError) and any(text in said for text in TEXTS)
