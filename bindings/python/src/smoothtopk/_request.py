"""What is asked of the library: the noise of a classifier, and what a call adds to it."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any, SupportsFloat, SupportsIndex

from . import _abi, _convert
from ._convert import Generator
from ._errors import InvalidArgumentError, fields_called, noise_fields
from ._jobs import Cancel
from ._library import Handle, call, lib


@dataclass(frozen=True)
class Noise:
    """The noise of a smoothed classifier, as all its requests have it."""

    # As the library takes it: b"gaussian:0.25".
    family: bytes
    # Of Gaussian noise that was given by it.
    sigma: float | None
    input_max: float
    # Points a unit of the grid of exact noise; 0 where it is not exact.
    levels: int
    generator: Generator

    def request(self, **values: Any) -> Handle:
        """A request with this noise and with the setters of these names called; a `Source` sets the generator."""
        request = Handle(_abi.stk_request, lib.stk_request_free)
        with noise_fields(self.sigma):
            call(lib.stk_request_new, self.family, request.out())
        setters = {"input_max": self.input_max, "noise_exact": self.levels, **values}
        with noise_fields(self.sigma), fields_called({"levels": "exact_levels"}):
            for name, value in setters.items():
                call(getattr(lib, f"stk_request_set_{name}"), request.pointer, *_for_c(value))
        return request


def _for_c(value: Any) -> tuple[Any, ...]:
    """A setter's arguments."""
    if isinstance(value, list):
        return (ctypes.c_size_t * len(value))(*value), len(value)
    return (value._handle.pointer if isinstance(value, Cancel) else value,)


@dataclass(frozen=True)
class Source:
    """Where a call's noise comes from: a generator with its seed or key; None for one from the operating system."""

    generator: Generator
    seed: int | None
    chacha12_key: bytes | None

    def is_chosen(self) -> bool:
        """Whether the caller chose it; one from the operating system is new for each call."""
        return self.seed is not None or self.chacha12_key is not None

    def values(self) -> dict[str, Any]:
        """The setters to call."""
        if self.generator == "chacha12":
            key = self.chacha12_key
            return {"chacha12": None if key is None else (ctypes.c_uint8 * len(key)).from_buffer_copy(key)}
        return {} if self.seed is None else {"seed": self.seed}


def source(
    noise: Noise,
    generator: Generator | None,
    seed: SupportsIndex | None,
    chacha12_key: bytes | bytearray | memoryview | None,
) -> Source:
    """What a call says of its noise, over what its classifier does."""
    if generator is not None:
        chosen = _convert.generator(generator)
    else:
        chosen = noise.generator if chacha12_key is None else "chacha12"
    # A seed is never taken for a key, nor the one left unused: the noise would not be what the caller takes it for.
    if chosen == "chacha12" and seed is not None:
        raise InvalidArgumentError("is of Philox: the noise of ChaCha12 has a chacha12_key", "seed")
    if chosen == "philox" and chacha12_key is not None:
        raise InvalidArgumentError("is of ChaCha12: the noise of Philox has a seed", "chacha12_key")
    return Source(
        chosen,
        None if seed is None else _convert.uint("seed", seed),
        None if chacha12_key is None else _convert.chacha12_key(chacha12_key),
    )


def asked(
    k: list[int],
    n: SupportsIndex,
    alpha: SupportsFloat,
    stream: SupportsIndex,
    timeout: float | None,
    cancel: Cancel | None,
) -> dict[str, Any]:
    """The setters of what every task has."""
    values: dict[str, Any] = {
        "k": k,
        "n": _convert.uint("n", n),
        "alpha": _convert.real("alpha", alpha),
        "stream": _convert.uint("stream", stream),
        "timeout_ms": _convert.milliseconds(timeout),
    }
    return values if cancel is None else values | {"cancel": cancel}
