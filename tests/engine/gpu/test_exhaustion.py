import numpy as np
import pytest
import torch

from engine.gpu.exhaustion import TEXTS, out_of_memory

EIB = 1 << 60


def test_this_machines_allocators_are_understood():
    with pytest.raises(RuntimeError) as torchs:
        torch.empty(EIB, dtype=torch.uint8)
    with pytest.raises(MemoryError) as numpys:
        np.empty(EIB, dtype=np.uint8)
    assert out_of_memory(torchs.value)
    assert out_of_memory(numpys.value)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        torch.OutOfMemoryError(),
        MemoryError(),
        torch.AcceleratorError("CUDA error: out of memory\nCUDA kernel errors might be ..."),
        RuntimeError("CUDA driver error: out of memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
        RuntimeError("cuFFT error: CUFFT_ALLOC_FAILED"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: not enough memory: you tried ..."),
        RuntimeError("std::bad_alloc"),
    ],
    ids=lambda error: f"{type(error).__name__} {error}"[:40],
)
def test_memory_that_ran_out_is_recognised(error):
    assert out_of_memory(error)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("CUDA error: an illegal memory access was encountered"),
        RuntimeError("CUDA error: device-side assert triggered"),
        RuntimeError("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED"),
        RuntimeError("The size of tensor a (3) must match the size of tensor b (4)"),
        ValueError("CUDA out of memory"),
        OSError(28, "No space left on device"),
    ],
    ids=str,
)
def test_other_faults_are_not_taken_for_it(error):
    assert not out_of_memory(error)


def test_the_texts_are_in_the_case_in_which_they_are_sought():
    assert all(text == text.lower() for text in TEXTS)
