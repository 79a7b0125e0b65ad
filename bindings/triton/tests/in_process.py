"""The same question, asked of the library without a server."""

import ctypes
import pathlib

import numpy as np


def radius(backends, model, x, sigma, n, seed):
    """The certified radius of one input by the library that lies beside the backend."""
    library = ctypes.CDLL(str(pathlib.Path(backends) / "smoothtopk/libsmoothtopk.so.1"))
    model_, request, result = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p()
    summary = (ctypes.c_byte * 4096)()
    x = np.ascontiguousarray(x, np.float32)

    def ok(status):
        assert status == 0, status

    ok(library.stk_model_open(str(model).encode(), None, ctypes.byref(model_), None))
    ok(library.stk_request_new(f"gaussian:{sigma}".encode(), ctypes.byref(request), None))
    ok(library.stk_request_set_n(request, ctypes.c_uint64(n), None))
    ok(library.stk_request_set_seed(request, ctypes.c_uint64(seed), None))
    pixels = x.ctypes.data_as(ctypes.c_void_p)
    ok(library.stk_model_certify(model_, request, pixels, ctypes.c_size_t(1), None, ctypes.byref(result), None))
    size = ctypes.c_size_t(64)
    ok(library.stk_result_summary(result, ctypes.c_size_t(0), ctypes.c_size_t(0), summary, size, None))
    # struct_size, n, n0, k, label, radius: each of 8 bytes.
    value = ctypes.c_double.from_buffer(summary, 40).value
    for free, handle in (("result", result), ("request", request), ("model", model_)):
        getattr(library, f"stk_{free}_free")(handle)
    return value
