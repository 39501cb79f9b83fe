from deployments.doctor.gpu import Imported, judged
from engine.gpu.driver import TorchBuild
from engine.gpu.state import GpuState, Reading

BUILD = TorchBuild("2.9.0+cu130", "13.0")
NONE = Reading(None, "No NVIDIA driver answers.", no_driver=True)


def a_card(capability: tuple[int, int] = (8, 9), driver: str = "581.15") -> Reading:
    return Reading(
        GpuState(
            name="NVIDIA GeForce RTX 4090",
            uuid="GPU-0",
            capability=capability,
            driver_version=driver,
            cuda_version=(13, 0),
            used_bytes=0,
            total_bytes=24_000_000_000,
            load_percent=0,
            temperature_c=40,
            throttles=(),
        )
    )


def test_a_torch_that_reaches_the_card_is_well() -> None:
    row = judged(BUILD, a_card(), Imported(reaches_card=True, arches=("sm_86",)))
    assert (row.status, row.found) == ("ok", "2.9.0+cu130, CUDA 13.0")


def test_a_torch_that_does_not_reach_the_card_is_installed_again() -> None:
    row = judged(BUILD, a_card(), Imported())
    assert row.status == "fail" and "does not reach" in str(row.found)
    assert "--force-reinstall" in str(row.fix) and "cu130" in str(row.fix)


def test_a_torch_without_code_for_the_card_fails_though_it_loads() -> None:
    row = judged(BUILD, a_card(capability=(6, 1)), Imported(reaches_card=True, arches=("sm_86",)))
    assert row.status == "fail" and "6.1" in str(row.found) and row.fix


def test_a_driver_that_is_too_old_is_named_with_the_one_that_is_not() -> None:
    row = judged(BUILD, a_card(driver="525.60"), Imported())
    assert row.status == "fail" and "too old" in str(row.found)
    assert "driver 580" in str(row.fix)


def test_a_torch_that_is_slow_to_load_is_no_failure() -> None:
    row = judged(TorchBuild("2.9.0+cpu", None), NONE, Imported(too_slow=True))
    assert row.status == "warn" and row.fix


def test_a_torch_that_does_not_load_fails_without_a_card_too() -> None:
    row = judged(BUILD, NONE, Imported(why_not="OSError: c10.dll"))
    assert row.status == "fail" and "c10.dll" in str(row.found)
    assert "--force-reinstall" in str(row.fix)
