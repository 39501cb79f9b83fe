"""Looking at the card through NVML, as often as one likes, without a CUDA context."""

import os
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from engine.gpu.card import find
from engine.gpu.state import GpuState, Reading, cuda_version, throttle_words


class Watch:
    """One card, open for reading; `close` it, or use it in `with`."""

    def __init__(
        self,
        uuid: str | None = None,
        *,
        nvml: Any | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        """`uuid` names the card (`card.uuid_of`); without it, the first visible one is meant."""
        self._uuid = uuid
        self._environ = environ
        self._module = nvml
        self._open = False
        self._card: Any | None = None

    def read(self) -> Reading:
        """How the card is now. An NVML that fails is asked anew at the next call."""
        nvml = self._nvml
        try:
            if self._card is None:
                self._find(nvml)
            if self._card is None:
                self.close()
                return Reading(None, _hidden(self._environ))
            return Reading(_state(nvml, self._card))
        except nvml.NVMLError as error:
            self.close()
            return _failed(nvml, error)

    def close(self) -> None:
        """Let NVML go; a later `read` opens it again."""
        self._card = None
        if not self._open:
            return
        self._open = False
        try:
            self._nvml.nvmlShutdown()
        except self._nvml.NVMLError:
            return  # it is gone already, as was wanted

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def _nvml(self) -> Any:
        if self._module is None:
            import pynvml  # 20 ms, which who never looks at a card need not wait for

            self._module = pynvml
        return self._module

    def _find(self, nvml: Any) -> None:
        nvml.nvmlInit()
        self._open = True
        self._card = find(nvml, self._uuid, self._environ)


def _state(nvml: Any, card: Any) -> GpuState:
    memory = _ask(nvml, ("nvmlDeviceGetMemoryInfo",), card)
    rates = _ask(nvml, ("nvmlDeviceGetUtilizationRates",), card)
    sensor = nvml.NVML_TEMPERATURE_GPU
    bits = _ask(
        nvml,
        # The second is the name until driver 535.
        ("nvmlDeviceGetCurrentClocksEventReasons", "nvmlDeviceGetCurrentClocksThrottleReasons"),
        card,
    )
    cuda = _ask(nvml, ("nvmlSystemGetCudaDriverVersion_v2", "nvmlSystemGetCudaDriverVersion"))
    capability = _ask(nvml, ("nvmlDeviceGetCudaComputeCapability",), card)
    return GpuState(
        name=_ask(nvml, ("nvmlDeviceGetName",), card),
        uuid=_ask(nvml, ("nvmlDeviceGetUUID",), card),
        capability=None if capability is None else (capability[0], capability[1]),
        driver_version=_ask(nvml, ("nvmlSystemGetDriverVersion",)),
        cuda_version=None if cuda is None else cuda_version(cuda),
        used_bytes=None if memory is None else int(memory.used),
        total_bytes=None if memory is None else int(memory.total),
        load_percent=None if rates is None else int(rates.gpu),
        # The second is deprecated, and all that older drivers have.
        temperature_c=_ask(
            nvml, ("nvmlDeviceGetTemperatureV", "nvmlDeviceGetTemperature"), card, sensor
        ),
        throttles=None if bits is None else throttle_words(bits),
    )


def _ask(nvml: Any, names: tuple[str, ...], *arguments: Any) -> Any | None:
    """The answer of the first of these functions that card and driver have; None when none."""
    for name in names:
        function = getattr(nvml, name, None)
        if function is None:
            continue
        try:
            return function(*arguments)
        except (
            nvml.NVMLError_NotSupported,
            nvml.NVMLError_FunctionNotFound,
            nvml.NVMLError_NoPermission,
            nvml.NVMLError_ArgumentVersionMismatch,
        ):
            continue
    return None


def _hidden(environ: Mapping[str, str]) -> str:
    visible = environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return "The NVIDIA driver finds no card."
    return f"CUDA_VISIBLE_DEVICES={visible} hides every card: unset it to use the GPU."


def _failed(nvml: Any, error: Exception) -> Reading:
    if isinstance(error, nvml.NVMLError_LibraryNotFound | nvml.NVMLError_DriverNotLoaded):
        return Reading(None, f"No NVIDIA driver answers ({error}).", no_driver=True)
    if isinstance(error, nvml.NVMLError_LibRmVersionMismatch):
        return Reading(None, "The NVIDIA driver was updated while in use: restart the machine.")
    if isinstance(error, nvml.NVMLError_GpuIsLost | nvml.NVMLError_ResetRequired):
        return Reading(None, f"The GPU no longer answers ({error}): restart the machine.")
    return Reading(None, f"NVML does not answer ({error}).")
