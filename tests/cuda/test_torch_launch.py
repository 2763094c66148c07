"""The launcher for tensors: what it sends to the driver, and what a user sees of its errors. Nothing runs on a GPU."""

import inspect
import threading
from types import SimpleNamespace

import numpy as np
import pytest

from arrayconv import _accel
from arrayconv._accel.cuda import arrays, job, torch_launch
from arrayconv._accel.cuda.sources import Grid, Kernel
from arrayconv._arrays.traits import Traits
from tests.cuda.standin import bindings
from tests.cuda.standin.bindings import CONTEXT, CUresult, Driver, Nvrtc

torch = pytest.importorskip("torch", reason="torch is not installed")
KERNEL = Kernel("loops", job.options(job.Types.alike("float32"), NAXES=1))
GRID = Grid((3, 1, 1), (256, 1, 1))
STREAM = 0xABC0
TENSORS = Traits("torch", "cuda", "float32", "float32", accelerators=frozenset({"cuda"}))


class Recorder(Driver):
    """A driver whose kernels do nothing, and whose launches return `status`."""

    status = CUresult.CUDA_SUCCESS

    def cuModuleGetFunction(self, hmod, name):
        return CUresult.CUDA_SUCCESS, Silent(name.decode())

    def cuLaunchKernel(self, *args):
        return (self.status,) if self.status else super().cuLaunchKernel(*args)


class Silent:
    """A kernel that does nothing."""

    def __init__(self, name):
        self.name = name

    def __call__(self, *_):
        pass


@pytest.fixture
def driver(monkeypatch):
    """A driver of two devices of sm_80 and sm_90, of which torch makes one current."""
    driver, current, capabilities = Recorder(), [0], [(8, 0), (9, 0)]

    class UseDevice:
        def __init__(self, device):
            self.index = device.index

        def __enter__(self):
            self.before, current[0] = current[0], self.index
            driver.context = driver.context and CONTEXT + self.index

        def __exit__(self, *_):
            current[0] = self.before

    monkeypatch.setattr(torch.cuda, "device", UseDevice)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda number: capabilities[number])
    monkeypatch.setattr(
        torch.cuda, "current_stream", lambda device: SimpleNamespace(cuda_stream=STREAM + device.index + current[0])
    )
    monkeypatch.setattr(torch_launch, "_bindings", lambda: (driver, Nvrtc()))
    clear()
    yield driver
    clear()


def clear():
    for function in (torch_launch._function, torch_launch._code, torch_launch._primary_context, torch_launch.missing):
        function.cache_clear()


def launch(number=0, kernel=KERNEL):
    packed = np.zeros(1, job.JOB)
    packed["x"], packed["fill_real"], packed["batch"] = 1 << 40, 2.5, 7
    torch_launch.launch(kernel, GRID, packed, torch.device("cuda", number))
    return packed


def test_the_struct_is_sent_as_it_is_packed(driver):
    packed = launch()
    assert driver.launches == [("loops", GRID.blocks, GRID.threads, STREAM, packed.tobytes())]


def test_stream_and_device_are_the_tensors(driver):
    launch(1)
    assert driver.launches[0][3] == STREAM + 2  # of device 1, which is current meanwhile
    assert [context for context, _ in driver.loads] == [CONTEXT + 1]
    assert b"sm_90" in driver.loads[0][1]


def test_a_kernel_is_loaded_once_per_context(driver):
    for number in (0, 1, 0, 1):
        launch(number)
    driver.context = 5  # another context of device 1 is current
    torch_launch._function(KERNEL, 1, 5)
    assert [context for context, _ in driver.loads] == [CONTEXT, CONTEXT + 1, 5]


def test_a_thread_without_a_context_gets_torchs(driver):
    driver.context = 0
    thread = threading.Thread(target=launch, args=(1,))
    thread.start()
    thread.join()
    assert driver.context == CONTEXT + 1
    assert driver.launches


def test_a_sticky_error_is_the_accelerators_failure_at_each_launch(driver):
    launch()
    driver.status = CUresult.CUDA_ERROR_ILLEGAL_ADDRESS
    for _ in range(2):
        with pytest.raises(_accel.AcceleratorFailed, match="'cuda' failed: RuntimeError: CUDA_ERROR_ILLEGAL_ADDRESS"):
            launch()
    assert len(driver.loads) == 1


def test_code_that_the_card_refuses_is_not_kept(driver, monkeypatch):
    refuse = [(CUresult.CUDA_ERROR_NO_BINARY_FOR_GPU, None)]
    load = driver.cuModuleLoadData
    monkeypatch.setattr(driver, "cuModuleLoadData", lambda image: refuse.pop() if refuse else load(image))
    with pytest.raises(_accel.AcceleratorFailed, match="CUDA_ERROR_NO_BINARY_FOR_GPU"):
        launch()
    launch()
    assert len(driver.launches) == 1


@pytest.mark.usefixtures("driver")
def test_a_source_that_does_not_compile_says_why():
    with pytest.raises(_accel.AcceleratorFailed, match=r"(?s)NVRTC_ERROR_COMPILATION: .*NAXES"):
        launch(kernel=Kernel("loops", job.options(job.Types.alike("float32"))))


def test_without_cuda_bindings_the_reason_names_the_package(monkeypatch):
    clear()
    monkeypatch.setattr(torch_launch, "find_spec", lambda _: None)
    monkeypatch.setattr(torch.version, "cuda", "12.8")
    assert arrays.refusal(TENSORS).endswith("not installed: pip install 'cuda-bindings==12.*'")
    clear()


def test_rocm_is_refused(monkeypatch):
    clear()
    monkeypatch.setattr(torch.version, "hip", "6.4")
    assert arrays.refusal(TENSORS) == "it is CUDA code, and this torch is built for ROCm 6.4"
    clear()


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"device": "cpu"}, "it supports tensors on CUDA devices. Got device cpu"),
        ({"traced": True}, "torch traces or intercepts this call, and observes its own functions only"),
        ({"backend": "jax"}, "it supports CuPy arrays and torch tensors"),
        (
            {"accelerators": frozenset()},
            "the accelerator 'cuda' is switched off: see arrayconv.config.using(accelerators=...)",
        ),
    ],
)
def test_reasons(changed, reason):
    assert arrays.refusal(TENSORS._replace(**changed)) == reason


def test_the_stand_ins_functions_have_the_genuine_parameters():
    genuine_driver = pytest.importorskip("cuda.bindings.driver", reason="cuda-bindings is not installed")
    from cuda.bindings import nvrtc

    for standin, genuine in ((Driver, genuine_driver), (Nvrtc, nvrtc)):
        for name, function in inspect.getmembers(standin, inspect.isfunction):
            if not name.startswith("_"):
                _, *names = inspect.signature(function).parameters
                assert names == list(inspect.signature(getattr(genuine, name)).parameters)
    for standin, genuine in ((bindings.CUresult, genuine_driver.CUresult), (bindings.nvrtcResult, nvrtc.nvrtcResult)):
        assert {status.name: int(status) for status in standin}.items() <= {s.name: int(s) for s in genuine}.items()


def test_nvrtc_itself_compiles_for_the_card_and_says_why_not():
    pytest.importorskip("cuda.bindings.nvrtc", reason="cuda-bindings is not installed")
    clear()
    assert torch_launch._code(KERNEL, "sm_80").startswith(b"\x7fELF")
    with pytest.raises(RuntimeError, match=r"(?s)NVRTC_ERROR_COMPILATION: .*NAXES"):
        torch_launch._code(Kernel("loops", job.options(job.Types.alike("float32"))), "sm_80")
    with pytest.raises(RuntimeError, match=r"NVRTC_ERROR_INVALID_OPTION: .*architecture"):
        torch_launch._code(KERNEL, "sm_11")
    clear()
