import pytest

from engine.gpu.environment import ALLOCATOR_NAMES, complaints, helpful

OLD, NEW = ALLOCATOR_NAMES
LINUX, WSL = "6.8.0-60-generic", "6.6.87.2-microsoft-standard-WSL2"


def test_growing_segments_are_asked_for_where_they_work():
    assert helpful({}, "linux", LINUX)[OLD] == "expandable_segments:True"
    for platform, kernel in (("win32", "11"), ("linux", WSL)):
        assert "expandable_segments" not in helpful({}, platform, kernel)[OLD]


@pytest.mark.parametrize("platform", ["linux", "win32"])
@pytest.mark.parametrize("name", ALLOCATOR_NAMES)
def test_the_users_allocator_settings_stay_by_whichever_name(platform, name):
    added = helpful({name: "max_split_size_mb:512"}, platform, LINUX)
    assert not added.keys() & set(ALLOCATOR_NAMES)


def test_nothing_that_the_user_set_is_overridden():
    everything = helpful({}, "linux", LINUX)
    for name in everything:
        assert name not in helpful({name: "the user's"}, "linux", LINUX)
    assert helpful(everything, "linux", LINUX) == {}


def test_tokenizers_start_no_threads_and_nothing_serialises_the_gpu():
    for platform in ("linux", "win32"):
        added = helpful({}, platform, LINUX)
        assert added["TOKENIZERS_PARALLELISM"] == "false"
        assert "CUDA_LAUNCH_BLOCKING" not in added
        assert complaints(added) == ()


@pytest.mark.parametrize("value", ["1", "true"])
def test_a_serialised_gpu_is_complained_of(value):
    (said,) = complaints({"CUDA_LAUNCH_BLOCKING": value, "PATH": "/bin"})
    assert f"CUDA_LAUNCH_BLOCKING={value}" in said
    assert "unset it" in said


@pytest.mark.parametrize("value", ["0", "", " 0 "])
def test_a_variable_that_is_off_is_no_harm(value):
    assert complaints({"CUDA_LAUNCH_BLOCKING": value}) == ()


def test_every_harm_is_told():
    harmful = {
        "CUDA_LAUNCH_BLOCKING": "1",
        "PYTORCH_NO_CUDA_MEMORY_CACHING": "1",
        "NVIDIA_TF32_OVERRIDE": "0",
    }
    assert [said.split("=")[0] for said in complaints(harmful)] == list(harmful)
