from dataclasses import replace

import pytest
import torch

from engine.gpu.driver import LEAST_DRIVERS, TorchBuild, problem
from engine.gpu.state import Reading

CU126 = TorchBuild("2.13.0+cu126", "12.6", ("sm_50", "sm_60", "sm_70", "sm_75", "sm_80", "sm_90"))
CU130 = TorchBuild("2.13.0+cu130", "13.0", ("sm_75", "sm_80", "sm_86", "sm_90", "sm_120"))
CPU = TorchBuild("2.13.0+cpu", None)
NO_DRIVER = Reading(None, "No NVIDIA driver answers (NVML Shared Library Not Found).", True)


def test_a_driver_and_a_torch_that_suit_are_no_problem(state):
    for build in (CU126, CU130):
        assert problem(Reading(state), build) is None


def test_a_machine_without_a_card_needs_no_cuda():
    assert problem(NO_DRIVER, CPU) is None


def test_a_cpu_build_beside_a_card_is_told_with_the_command(state):
    said = problem(Reading(state), CPU)
    assert "leaves the NVIDIA GeForce RTX 4090 unused" in said
    assert "--force-reinstall torch==2.13.0 --index-url" in said
    assert said.endswith("/whl/cu130.")


@pytest.mark.parametrize(
    ("cuda", "driver", "tag"), [((12, 4), "551.61", "cu126"), ((13, 1), "591.44", "cu130")]
)
def test_the_build_that_is_advised_suits_the_driver(state, cuda, driver, tag):
    card = replace(state, cuda_version=cuda, driver_version=driver)
    assert problem(Reading(card), CPU, "win32").endswith(f"/whl/{tag}.")


def test_a_driver_too_old_for_torch_is_told_with_both_ways_out(state):
    card = replace(state, cuda_version=(12, 4), driver_version="551.61")
    said = problem(Reading(card), CU130, "win32")
    assert "driver 551.61, which knows CUDA 12.4, is too old for torch's CUDA 13.0" in said
    assert "install NVIDIA driver 580 or newer" in said
    assert "/whl/cu126" in said


def test_a_driver_too_old_for_any_torch_leaves_one_way_out(state):
    card = replace(state, cuda_version=(11, 4), driver_version="472.12")
    said = problem(Reading(card), CU126, "win32")
    assert "install NVIDIA driver 528.33 or newer" in said
    assert "pip" not in said
    said = problem(Reading(card), CPU, "win32")
    assert "install NVIDIA driver 580 or newer" in said
    assert "pip" not in said


@pytest.mark.parametrize(
    ("platform", "driver", "fits"),
    [
        ("linux", "525.60.13", True),
        ("linux", "525.60.12", False),
        ("linux", "525.125.06", True),
        ("win32", "528.33", True),
        ("win32", "527.41", False),
    ],
)
def test_within_a_major_version_the_oldest_driver_is_enough(state, platform, driver, fits):
    card = replace(state, cuda_version=(12, 0), driver_version=driver)
    assert (problem(Reading(card), CU126, platform) is None) is fits


def test_what_the_driver_does_not_tell_is_no_objection(state):
    card = replace(state, cuda_version=None, driver_version=None, capability=None, name=None)
    assert problem(Reading(card), CU130) is None
    assert "the NVIDIA card unused" in problem(Reading(card), CPU)


def test_a_cuda_that_came_later_is_judged_by_the_drivers_own(state):
    later = replace(CU130, cuda="14.0")
    assert max(LEAST_DRIVERS) < 14
    assert "install the newest NVIDIA driver" in problem(Reading(state), later)
    assert problem(Reading(replace(state, cuda_version=(14, 0))), later) is None


def test_a_card_too_old_for_this_torch_is_sent_to_the_build_that_has_it(state):
    pascal = replace(state, name="NVIDIA GeForce GTX 1080", capability=(6, 1))
    said = problem(Reading(pascal), CU130)
    assert "no code for the NVIDIA GeForce GTX 1080 (compute capability 6.1)" in said
    assert said.endswith("/whl/cu126.")


def test_a_card_too_old_for_every_torch_gets_no_command(state):
    kepler = replace(state, capability=(3, 5))
    said = problem(Reading(kepler), CU126)
    assert "pip" not in said
    assert "get-started" in said


def test_a_card_too_new_for_this_torch_and_driver_needs_both(state):
    blackwell = replace(state, capability=(12, 0), cuda_version=(12, 8), driver_version="572.16")
    said = problem(Reading(blackwell), CU126, "win32")
    assert "compute capability 12.0" in said
    assert "install NVIDIA driver 580 or newer" in said


@pytest.mark.parametrize(
    ("arch", "capability", "runs"),
    [
        ("sm_86", (8, 9), True),
        ("sm_86", (8, 6), True),
        ("sm_89", (8, 6), False),
        ("sm_80", (9, 0), False),
        ("sm_90a", (9, 0), True),
        ("sm_100a", (10, 3), False),
        ("sm_100f", (10, 3), True),
        ("sm_120", (12, 1), True),
        ("compute_80", (12, 0), True),
        ("compute_90", (8, 9), False),
        ("lto_80", (8, 9), True),
    ],
)
def test_code_runs_where_cudas_rules_let_it(state, arch, capability, runs):
    card = replace(state, capability=capability)
    assert (problem(Reading(card), replace(CU130, arches=(arch,))) is None) is runs


def test_code_compiled_when_loaded_needs_a_driver_as_new_as_torch(state):
    build = TorchBuild("2.13.0", "13.2", ("compute_80",))
    assert "no code" in problem(Reading(state), build)
    assert problem(Reading(replace(state, cuda_version=(13, 2))), build) is None


def test_no_driver_for_a_cuda_torch_is_told_with_the_fix():
    said = problem(NO_DRIVER, CU130, "linux")
    assert said.startswith("No NVIDIA driver answers")
    assert "install NVIDIA driver 580 or newer from https://www.nvidia.com/drivers" in said


def test_cards_that_are_hidden_are_a_reason_of_their_own():
    hidden = Reading(None, "CUDA_VISIBLE_DEVICES=-1 hides every card: unset it to use the GPU.")
    assert problem(hidden, CU130) == hidden.why


def test_the_torch_of_this_machine_is_described():
    build = TorchBuild.of(torch)
    assert build.release == torch.__version__.split("+")[0]
    assert (build.cuda is None) == (torch.version.cuda is None)
