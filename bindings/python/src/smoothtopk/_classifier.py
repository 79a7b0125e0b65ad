"""The smoothed classifier."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Generator as Iteration
from typing import TYPE_CHECKING, Any, SupportsFloat, SupportsIndex, overload

import numpy as np
import numpy.typing as npt

from . import _abi, _convert, _jobs, _read, _request
from ._arrays import Certificates, Guarantees, Predictions
from ._calls import (
    AnswerOptions,
    AnswerStreamOptions,
    CertifyOptions,
    CertifyStreamOptions,
    Ks,
    PredictOptions,
    StreamOptions,
    SubmitAnswerOptions,
    SubmitCertifyOptions,
    SubmitOptions,
    called,
)
from ._convert import Generator
from ._counts_base import counts_handle
from ._errors import InvalidArgumentError
from ._function import Batch, Function
from ._inputs import Inputs, inputs
from ._job import Job
from ._jobs import Cancel
from ._library import call, lib
from ._model import Model, function_options, model_options
from ._opened import Opened, Question, finish
from ._progress import Progress, Reporter
from ._statements import Certificate, Counts, Guarantee, Prediction

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack


class SmoothedClassifier(Opened):
    """The smoothed classifier g of a base classifier f: what f most often says of x plus noise.

    Opening reads the model once and, where `batch` is None, measures which batch is fastest here. Methods may be called
    from any number of threads at once, whose samples share batches; the GIL is released while they run. Use it in a
    `with` block, or `close` it. It does not survive a fork: in the child every method raises ForkedError (use the
    "spawn" start method).

    Args:
        model: path of an ONNX file, its bytes, or an `onnx.ModelProto` (with its weights inside; a model with external
            data needs its path).
        sigma: standard deviation of Gaussian noise, above 0, on the scale of x before `mean` and `std`: for pixels in
            [0, 1] the field's values are 0.12, 0.25, 0.5 and 1.0. Radii are in l2. Give it or `noise`.
        noise: "gaussian:SIGMA"; "uniform:LAMBDA": noise on [-lambda, lambda] in each element, with radii in l1;
            "ablate:KEEP": so many pixels kept at random, with radii in pixels. Or all rows, each once, without seed or
            alpha: "band:SIZE" and "block:SIZE", with sides of patches as radii, and "split:SPLITS:levels=Q", in l1.
            Settings follow as ":channels=first", ":value=0.5", ":wrap=no".
        provider: ONNX Runtime's execution provider: "cpu", "cuda", "cuda:1", "tensorrt", "openvino", or any by ONNX
            Runtime's name, such as "CUDAExecutionProvider". One that cannot be used is an error that says what is
            missing.
        batch: rows per run of the model, at least 1; None measures it.
        threads: threads that run the model; None takes one per usable core on the CPU, one elsewhere.
        mean, std: the model gets (x + noise - mean) / std: one number, or one for each channel. None: 0, and 1.
        input_max: the largest |x| there will be, at least 0; more is refused. x and noise are rounded to a grid on
            which their sums are exact up to it. It is part of g: use the same for every input.
        exact_levels: exact noise, on the grid of the multiples of 1/exact_levels, from 1 to 2^20, on which each x must
            be: 255 for 8-bit pixels scaled to [0, 1], 1 for pixels as they are (and input_max=255). sigma must be 1 to
            3500 steps of it. What separates this noise from the exact one is taken off alpha, and nothing off the
            radius; a certificate is about inputs on the grid. None: noise in float32, rounded as input_max says.
        generator: what draws the noise where a call does not say: "philox", by a seed, or "chacha12", a stream cipher
            with a secret key, for adversaries who know the generator.
        input, output: names of the classified input and of the scores, where the model leaves a choice.
        input_shape: shape of one input, without the batch, where the model leaves it open.
        classes: number of labels, where the model does not say it.
        threshold: of a model with one score a row: label 1 above it; with `base_k` only labels above it.
        base_k: of a multi-label model: a sample is given the labels of its base_k highest scores. `sample` counts
            them, and `Counts.certify_labels` certifies a set of true labels.
        constants: values of the model's other inputs, by name.
        provider_options: settings of the provider, by ONNX Runtime's keys; `arithmetic` and records say them.
        provider_library: path of a plugin provider's library.
        memory_limit: bytes of device memory to use at most; None for no limit.
        devices: the GPUs that share the samples, for "cuda" and "tensorrt"; empty: the provider's own.
        allow_fallback: the processor takes the place of a provider that cannot be used; `fallback` and records say why.
        cuda_tf32: CUDA multiplies float32 with 10 bits of fraction, which is another base classifier.
        tensorrt_fp16, tensorrt_bf16: TensorRT may compute in these, which is another base classifier.
        tensorrt_cache: folder for the engines that TensorRT builds, which takes minutes; None keeps nothing.
        plan_cache: a measured `batch` is looked up in the user's cache folder, which SMOOTHTOPK_CACHE may name, and
            kept there.
        max_jobs: the most jobs under way at once, one for each input of each call, of all threads: a call beyond it
            raises BusyError at once; None for any number.
        max_input_bytes: the most bytes of their inputs, 4 an element, in the same way.

    Raises:
        NotFoundError, ModelError: no such file; not a classifier that can be smoothed, with the remedy.
        OnnxRuntimeError, ProviderError: ONNX Runtime or the provider cannot be used, with what is missing.
        InvalidArgumentError: an option is out of range, with the field.
    """

    @called(
        "only model and sigma are given without a name: Cohen's Smooth(base, num_classes, sigma) is "
        "SmoothedClassifier(model, sigma), which reads the number of labels from the model; its batch_size is batch"
    )
    def __init__(
        self,
        model: Model,
        sigma: SupportsFloat | None = None,
        *,
        noise: str | None = None,
        provider: str = "cpu",
        batch: SupportsIndex | None = None,
        threads: SupportsIndex | None = None,
        mean: npt.ArrayLike | None = None,
        std: npt.ArrayLike | None = None,
        input_max: SupportsFloat = 1.0,
        exact_levels: SupportsIndex | None = None,
        generator: Generator = "philox",
        input: str | None = None,
        output: str | None = None,
        input_shape: Sequence[SupportsIndex] | None = None,
        classes: SupportsIndex | None = None,
        threshold: SupportsFloat | None = None,
        base_k: SupportsIndex | None = None,
        constants: Mapping[str, npt.ArrayLike] | None = None,
        provider_options: Mapping[str, str] | None = None,
        provider_library: str | os.PathLike[str] | None = None,
        memory_limit: SupportsIndex | None = None,
        devices: Sequence[SupportsIndex] = (),
        allow_fallback: bool = False,
        cuda_tf32: bool = False,
        tensorrt_fp16: bool = False,
        tensorrt_bf16: bool = False,
        tensorrt_cache: str | os.PathLike[str] | None = None,
        plan_cache: bool = True,
        max_jobs: SupportsIndex | None = None,
        max_input_bytes: SupportsIndex | None = None,
    ) -> None:
        # Wrong values are told before the model is read.
        made = _noise(sigma, noise, input_max, exact_levels, generator)
        options = model_options(
            provider=provider,
            batch=batch,
            threads=threads,
            mean=mean,
            std=std,
            input=input,
            output=output,
            input_shape=input_shape,
            classes=classes,
            threshold=threshold,
            base_k=base_k,
            constants=constants,
            provider_options=provider_options,
            provider_library=provider_library,
            memory_limit=memory_limit,
            devices=devices,
            allow_fallback=allow_fallback,
            cuda_tf32=cuda_tf32,
            tensorrt_fp16=tensorrt_fp16,
            tensorrt_bf16=tensorrt_bf16,
            tensorrt_cache=tensorrt_cache,
            plan_cache=plan_cache,
            max_jobs=max_jobs,
            max_input_bytes=max_input_bytes,
        )
        super().__init__(model, made, options)

    @classmethod
    def from_callable(
        cls,
        f: Callable[[Batch], Any],
        classes: SupportsIndex,
        shape: SupportsIndex | Sequence[SupportsIndex],
        sigma: SupportsFloat | None = None,
        *,
        name: str | None = None,
        digest: str | None = None,
        noise: str | None = None,
        batch: SupportsIndex | None = None,
        threads: SupportsIndex = 1,
        input_max: SupportsFloat = 1.0,
        exact_levels: SupportsIndex | None = None,
        generator: Generator = "philox",
        max_jobs: SupportsIndex | None = None,
        max_input_bytes: SupportsIndex | None = None,
    ) -> Self:
        """The smoothed classifier of a Python function: of a PyTorch module, an engine, a remote model.

        The function is called on threads of the library's, which take the GIL for it: what it keeps for each thread,
        as PyTorch its `no_grad`, it sets itself. It must give the same for the same row, whichever rows stand beside
        it, which a few rows are tried for here. What it raises fails the run with RunError, as its `__cause__`. It
        can neither ask nor close its own classifier.

        Args:
            f: takes rows, float32 [N, *shape], an array of its own, with N from 1 to `batch`; gives scores [N, classes]
                (taken as float32; the highest is the label, NaN makes an invalid sample) or integer labels [N], in
                anything that `numpy.asarray` takes.
            classes: number of labels.
            shape: shape of one input.
            sigma, noise, input_max, exact_levels, generator, max_jobs, max_input_bytes: as for `SmoothedClassifier`.
            name: what records and counts call it; None: the function's own name.
            digest: what tells it from every other function, such as a hash of its weights: counts of classifiers of the
                same name and digest may be added. None: counts are added within this one alone.
            batch: the most rows of a call; None measures it, in about two seconds of calls.
            threads: how many threads call f at once, each with rows of its own.

        Raises:
            ModelError: it fails, or gives something else for a row the second time or beside other rows.
            InvalidArgumentError: an option is out of range, with the field.
            Whatever f raises, or a TypeError for what it gives, when it is called with one row of zeros.
        """
        made = _noise(sigma, noise, input_max, exact_levels, generator)
        options = function_options(batch=batch, threads=threads, max_jobs=max_jobs, max_input_bytes=max_input_bytes)
        self = cls.__new__(cls)
        Opened.__init__(self, Function(f, classes, shape, name, digest), made, options)
        return self

    # A type does not say whether x is one input or several: what comes of one k is Any.
    @overload
    def certify(self, x: Inputs, k: Ks, n: SupportsIndex = ..., **options: Unpack[CertifyOptions]) -> Certificates: ...
    @overload
    def certify(
        self, x: Inputs, k: SupportsIndex = 1, n: SupportsIndex = ..., **options: Unpack[CertifyOptions]
    ) -> Any: ...
    @called(
        "only x, k and n are given without a name: Cohen's certify(x, n0, n, alpha, batch_size) is "
        "certify(x, n0=n0, n=n, alpha=alpha), with batch=batch_size given to SmoothedClassifier"
    )
    def certify(
        self,
        x: Inputs,
        k: SupportsIndex | Ks = 1,
        n: SupportsIndex = 100_000,
        *,
        n0: SupportsIndex = 100,
        alpha: SupportsFloat = 0.001,
        label: SupportsIndex | Sequence[SupportsIndex] | npt.NDArray[np.integer[Any]] | None = None,
        rule: str = "fixed",
        allocation: str = "ranked",
        randomized: bool = False,
        seed: SupportsIndex | None = None,
        stream: SupportsIndex = 0,
        generator: Generator | None = None,
        chacha12_key: bytes | None = None,
        timeout: float | None = None,
        progress: Progress = None,
        cancel: Cancel | None = None,
    ) -> Certificate | Certificates:
        """The radius within which a label stays among the top k of g.

        Ctrl-C cancels the run and raises KeyboardInterrupt, whose `partial` (see `partial_of`) is what was finished.

        Args:
            x: one input, of `element_shape`, or several, [N, *element_shape]; real numbers on sigma's scale, in
                whatever has an array of them: lists, buffers, `__array__`, DLPack. A C-contiguous array of float32,
                uint8 (0 to 255), float16, bfloat16 or float64 is not copied as a whole on its way to the library;
                others are, as float32. float64 is rounded to float32, and what is said holds for the rounded input.
            k: the k of top-k, from 1 to classes - 1, or several: each has its own certificate, from the same samples.
            n: samples that certify each input, from 1; under a rule the most of them.
            n0: separate samples that choose its label, and how alpha is split for "auto", from 1; none are drawn where
                there is nothing to choose.
            alpha: probability, from 1e-100 to 0.5, that a certificate is false.
            label: the label to certify, or one for each input (-1: chosen as follows), fixed without looking at these
                samples, which `sample` draws too under the same seed and stream. None: the label most frequent among
                the n0 samples.
            rule: when the samples are enough. "fixed": after n. "radius:R": as soon as the label is certified at the
                radius R, or no number of samples, or none up to n, could certify it. "steps:E": as soon as the largest
                multiple of E, at least 1e-6 sigma, that the label is certified at is decided. "tolerance:E", or
                "tolerance:Esigma": as soon as the samples up to n are expected to add no more than E (in units of x, or
                of sigma) to the radius. All but "fixed" rest on bounds that hold at all numbers of samples at once
                ("steps:E": at all up to n, with half of alpha for the n-th alone): a certificate is valid at alpha
                whenever the samples end.
            allocation: how alpha is split between the bounds. It must not come from the samples that it is applied to.
                "ranked": alpha/(k + 1) for the label and for each of its k strongest rivals. "ranked:S": the share S of
                alpha, between 0 and 1, for the label, the rest for its rivals. The paper's "simuem" and "binocp".
                "pooled:S": S for the label, the rest for one bound of the sum of its rivals. "pooled:S:L,L,..": the
                labels L, ascending and fewer than k, are left out of that sum. "auto": chosen by the n0 samples for the
                largest radius that is to be expected.
            randomized: whether the exact bounds of a "fixed" n are randomized: a little larger radii on average, at the
                same alpha, by a number that comes from the noise's seed; `validity` of the certificate says it.
            seed: of the noise of Philox, from 0 to 2^64 - 1; None takes one from the operating system. Whoever knows it
                knows the noise: only `to_json_with_secret` says it.
            stream: which noise under the seed or key the first input gets, from 0; input i gets stream + i. Two inputs
                of one seed and stream get the same noise, and a SameNoiseWarning says so once: give all inputs in one
                call, or the parts of a data set streams that do not overlap (`stream=i` in a loop over single inputs).
            generator: "philox" or "chacha12". None: the classifier's, or "chacha12" where its key is given.
            chacha12_key: of the noise of ChaCha12, 32 bytes, random and secret; None takes them from the operating
                system. Only `to_json_with_secret` says it.
            timeout: seconds, above 0; None for no limit. Under a rule an input that is late has the answer of its last
                look, which is sound, with `early_stop` "DEADLINE_EXCEEDED"; without a look, or with a fixed n, none.
            progress: True for a tqdm bar; a tqdm bar (or its class); or a function of (samples_done, samples_total),
                called in this thread a few times a second; under a rule samples_total is the most there may be. What it
                raises cancels the run and comes out, with what was finished in `partial`.
            cancel: a token by which another thread cancels.

        Returns:
            A `Certificate` for one input and one k; else `Certificates` of shape [N], [K] or [N, K].

        Raises:
            InvalidArgumentError, InvalidDataError: with the field.
            DeadlineExceededError, CancelledError, RunError: with what was drawn so far, in `partial`.
        """
        question = self._certifying(
            x,
            k,
            n,
            n0=n0,
            alpha=alpha,
            label=label,
            rule=rule,
            allocation=allocation,
            randomized=randomized,
            seed=seed,
            stream=stream,
            generator=generator,
            chacha12_key=chacha12_key,
            timeout=timeout,
            cancel=cancel,
        )
        return self._run(question, progress)  # type: ignore[no-any-return]

    # A type does not say whether x is one input or several: what comes of one k is Any.
    @overload
    def predict(self, x: Inputs, k: Ks, n: SupportsIndex = ..., **options: Unpack[PredictOptions]) -> Predictions: ...
    @overload
    def predict(
        self, x: Inputs, k: SupportsIndex = 1, n: SupportsIndex = ..., **options: Unpack[PredictOptions]
    ) -> Any: ...
    @called(
        "only x, k and n are given without a name: Cohen's predict(x, n, alpha, batch_size) is "
        "predict(x, n=n, alpha=alpha), with batch=batch_size given to SmoothedClassifier"
    )
    def predict(
        self,
        x: Inputs,
        k: SupportsIndex | Ks = 1,
        n: SupportsIndex = 100_000,
        *,
        alpha: SupportsFloat = 0.001,
        rule: str = "fixed",
        seed: SupportsIndex | None = None,
        stream: SupportsIndex = 0,
        generator: Generator | None = None,
        chacha12_key: bytes | None = None,
        timeout: float | None = None,
        progress: Progress = None,
        cancel: Cancel | None = None,
    ) -> Prediction | Predictions:
        """The k labels that g ranks highest, or none: it abstains where n samples do not settle them.

        Args, Ctrl-C and errors are those of `certify`, but:

        Args:
            alpha: probability, from 1e-100 to 0.5, that labels that are returned are wrong.
            rule: when the samples are enough: "fixed": after n; "predict": as soon as the top-k set is settled, n at
                the most. An answer under "predict" is valid at alpha whenever the samples end.

        Returns:
            A `Prediction` for one input and one k; else `Predictions` of shape [N], [K] or [N, K].
        """
        question = self._predicting(
            x,
            k,
            n,
            alpha=alpha,
            rule=rule,
            seed=seed,
            stream=stream,
            generator=generator,
            chacha12_key=chacha12_key,
            timeout=timeout,
            cancel=cancel,
        )
        return self._run(question, progress)  # type: ignore[no-any-return]

    # A type does not say whether x is one input or several: what comes of one k is Any.
    @overload
    def certify_answer(
        self, x: Inputs, k: Ks, n: SupportsIndex = ..., **options: Unpack[AnswerOptions]
    ) -> Guarantees: ...
    @overload
    def certify_answer(
        self, x: Inputs, k: SupportsIndex = 1, n: SupportsIndex = ..., **options: Unpack[AnswerOptions]
    ) -> Any: ...
    @called("only x, k and n are given without a name")
    def certify_answer(
        self,
        x: Inputs,
        k: SupportsIndex | Ks = 1,
        n: SupportsIndex = 100_000,
        *,
        n0: SupportsIndex = 100,
        alpha: SupportsFloat = 0.001,
        rule: str = "fixed",
        seed: SupportsIndex | None = None,
        stream: SupportsIndex = 0,
        generator: Generator | None = None,
        chacha12_key: bytes | None = None,
        timeout: float | None = None,
        progress: Progress = None,
        cancel: Cancel | None = None,
    ) -> Guarantee | Guarantees:
        """What holds around x for the k labels that are returned: the radius of each, of the set, of how many of it
        stay, and of their order.

        Args, Ctrl-C and errors are those of `certify`, but:

        Args:
            n0: separate samples whose k most frequent labels are returned. 0: those of the very n samples that certify
                them are, which is paid for out of alpha.
            alpha: probability, from 1e-100 to 0.5, that a statement is false: each of the `Guarantee`'s.
            rule: when the samples are enough. "fixed": after n. With n0 of at least 1 also "radius:R": as soon as the
                set's radius is at least R, or no number of samples, or none up to n, could bring it there;
                "tolerance:E" or "tolerance:Esigma": as soon as the samples up to n are expected to add no more than E
                to it. All of the `Guarantee` holds whenever the samples end.

        Returns:
            A `Guarantee` for one input and one k; else `Guarantees` of shape [N], [K] or [N, K].
        """
        question = self._answering(
            x,
            k,
            n,
            n0=n0,
            alpha=alpha,
            rule=rule,
            seed=seed,
            stream=stream,
            generator=generator,
            chacha12_key=chacha12_key,
            timeout=timeout,
            cancel=cancel,
        )
        return self._run(question, progress)  # type: ignore[no-any-return]

    def certify_stream(
        self,
        x: Inputs,
        k: SupportsIndex | Ks = 1,
        n: SupportsIndex = 100_000,
        *,
        rule: str,
        **options: Unpack[CertifyStreamOptions],
    ) -> Iteration[Any, None, None]:
        """`certify` of one input, whose interim answers come as its samples are drawn:

            for partial in g.certify_stream(x, rule="tolerance:0.01"):
                print(partial.radius)

        Each is the answer of the last look that the rule took, with bounds that hold at all looks at once. So each is
        as sound as the final one, all are true together with probability at least 1 - alpha, and you may stop because
        of one: leaving the loop and closing the generator (`contextlib.closing`) cancels the rest. `decision` is "open"
        until something is decided; the final answer is the last. Whoever is slower than the looks gets the last one.

        Args and errors are those of `certify`, without `progress` and `randomized`; errors come while you iterate,
        after the interim answers. A "fixed" n is refused, with the field "rule": its bounds hold for all n
        samples only.
        """
        return self._stream(self._certifying(x, k, n, rule=rule, **options))

    def predict_stream(
        self,
        x: Inputs,
        k: SupportsIndex | Ks = 1,
        n: SupportsIndex = 100_000,
        *,
        rule: str = "predict",
        **options: Unpack[StreamOptions],
    ) -> Iteration[Any, None, None]:
        """`predict` of one input, whose interim answers come as those of `certify_stream`: abstentions, as long as the
        top-k set of a k is not settled."""
        return self._stream(self._predicting(x, k, n, rule=rule, **options))

    def certify_answer_stream(
        self,
        x: Inputs,
        k: SupportsIndex | Ks = 1,
        n: SupportsIndex = 100_000,
        *,
        rule: str,
        **options: Unpack[AnswerStreamOptions],
    ) -> Iteration[Any, None, None]:
        """`certify_answer` of one input, whose interim answers come as those of `certify_stream`."""
        return self._stream(self._answering(x, k, n, rule=rule, **options))

    def submit_certify(
        self, x: Inputs, k: SupportsIndex | Ks = 1, n: SupportsIndex = 100_000, **options: Unpack[SubmitCertifyOptions]
    ) -> Job:
        """Starts `certify` and returns at once: the `Job` has each input's answer as soon as it is there, can be waited
        for, and awaited. Args are those of `certify`, without `progress`; wrong ones raise here."""
        return Job(self, self._certifying(x, k, n, **options))

    def submit_predict(
        self, x: Inputs, k: SupportsIndex | Ks = 1, n: SupportsIndex = 100_000, **options: Unpack[SubmitOptions]
    ) -> Job:
        """Starts `predict`, as `submit_certify` starts `certify`."""
        return Job(self, self._predicting(x, k, n, **options))

    def submit_certify_answer(
        self, x: Inputs, k: SupportsIndex | Ks = 1, n: SupportsIndex = 100_000, **options: Unpack[SubmitAnswerOptions]
    ) -> Job:
        """Starts `certify_answer`, as `submit_certify` starts `certify`."""
        return Job(self, self._answering(x, k, n, **options))

    @called("only x and n are given without a name")
    def sample(
        self,
        x: Inputs,
        n: SupportsIndex,
        *,
        first: SupportsIndex = 0,
        seed: SupportsIndex | None = None,
        stream: SupportsIndex = 0,
        generator: Generator | None = None,
        chacha12_key: bytes | None = None,
        timeout: float | None = None,
        progress: Progress = None,
        cancel: Cancel | None = None,
    ) -> Counts:
        """Counts of samples first .. first + n of one input's noise, the noise that `certify` draws.

        Counts of disjoint ranges under one seed (or key of ChaCha12) and stream add, in any order and from any machine:
        `Counts.to_json` carries them. Samples that are counted already are refused. They are no pilot for `certify`
        under the same seed and stream, which draws them again; and whoever draws more because of what they show says
        `Counts.growing` first.

        Args:
            x: one input, of `element_shape`.
            n: samples to draw, from 1.
            first: the first sample, from 0.
            seed, stream, generator, chacha12_key, timeout, progress: as for `certify`.
            cancel: as for `certify`; Ctrl-C and `close` set it too.

        Raises:
            As `certify`; `partial` is a `Counts` that certifies and predicts nothing.
        """
        rows, single = inputs(x, self._shape, self._noise.input_max)
        if not single:
            raise InvalidArgumentError("must be one input: sample takes no batch", "x")
        source = _request.source(self._noise, generator, seed, chacha12_key)
        self._same_noise.look("certify", source, stream, rows)
        array = _convert.for_c(rows, np.float32)
        begin, samples = _convert.uint("first", first), _convert.uint("n", n)
        reporter, done = Reporter(progress), 0
        cancel = Cancel() if cancel is None else cancel
        values = {"stream": _convert.uint("stream", stream), "timeout_ms": _convert.milliseconds(timeout)}
        request = self._noise.request(**values, cancel=cancel, **source.values())

        def count(_user: object, samples_done: int, _samples_total: int) -> None:
            nonlocal done
            done = samples_done

        callback = _abi.stk_progress_callback(count)
        # A bar of tqdm has no truth value before it has a total.
        told = progress is not None and progress is not False
        if told:
            call(lib.stk_request_set_progress, request.pointer, callback, None)
        out = counts_handle()
        arguments = (request.pointer, _pointer(array), begin, samples, out.out())

        def draw() -> Counts:
            # Named here so that they live for as long as the native call may use them.
            _alive = array, request, callback
            model = self._open_model()
            with model.busy(cancel):
                return finish(lib.stk_model_sample, (model.pointer, *arguments), out, Counts, model)

        try:
            return _jobs.in_thread(draw, cancel.set, (lambda: reporter.report(done, samples)) if told else None)
        finally:
            reporter.close()

    # Their questions, with the defaults of both ways to ask.

    def _certifying(
        self,
        x: Inputs,
        k: SupportsIndex | Ks,
        n: SupportsIndex,
        *,
        rule: str = "fixed",
        n0: SupportsIndex = 100,
        alpha: SupportsFloat = 0.001,
        label: SupportsIndex | Sequence[SupportsIndex] | npt.NDArray[np.integer[Any]] | None = None,
        allocation: str = "ranked",
        randomized: bool = False,
        seed: SupportsIndex | None = None,
        stream: SupportsIndex = 0,
        generator: Generator | None = None,
        chacha12_key: bytes | None = None,
        timeout: float | None = None,
        cancel: Cancel | None = None,
    ) -> Question:
        source = _request.source(self._noise, generator, seed, chacha12_key)
        more = {"n0": _convert.uint("n0", n0), "rule": _convert.string("rule", rule), **source.values()}
        more |= {"allocation": _convert.string("allocation", allocation), "randomized": bool(randomized)}
        rows, layout, request = self._prepare(x, k, n, alpha, stream, timeout, cancel, more)
        self._same_noise.look("certify", source, stream, rows)
        labels = _convert.labels(label, len(rows))
        return Question(_abi.STK_TASK_CERTIFY, rows, labels, request, layout, Certificates, _read.read_certificates)

    def _predicting(
        self,
        x: Inputs,
        k: SupportsIndex | Ks,
        n: SupportsIndex,
        *,
        rule: str = "fixed",
        alpha: SupportsFloat = 0.001,
        seed: SupportsIndex | None = None,
        stream: SupportsIndex = 0,
        generator: Generator | None = None,
        chacha12_key: bytes | None = None,
        timeout: float | None = None,
        cancel: Cancel | None = None,
    ) -> Question:
        source = _request.source(self._noise, generator, seed, chacha12_key)
        more = {"rule": _convert.string("rule", rule), **source.values()}
        rows, layout, request = self._prepare(x, k, n, alpha, stream, timeout, cancel, more)
        self._same_noise.look("predict", source, stream, rows)
        return Question(_abi.STK_TASK_PREDICT, rows, None, request, layout, Predictions, _read.read_predictions)

    def _answering(
        self,
        x: Inputs,
        k: SupportsIndex | Ks,
        n: SupportsIndex,
        *,
        rule: str = "fixed",
        n0: SupportsIndex = 100,
        alpha: SupportsFloat = 0.001,
        seed: SupportsIndex | None = None,
        stream: SupportsIndex = 0,
        generator: Generator | None = None,
        chacha12_key: bytes | None = None,
        timeout: float | None = None,
        cancel: Cancel | None = None,
    ) -> Question:
        source = _request.source(self._noise, generator, seed, chacha12_key)
        more = {"n0": _convert.uint("n0", n0), "rule": _convert.string("rule", rule), **source.values()}
        rows, layout, request = self._prepare(x, k, n, alpha, stream, timeout, cancel, more)
        self._same_noise.look("answer", source, stream, rows)
        return Question(_abi.STK_TASK_CERTIFY_ANSWER, rows, None, request, layout, Guarantees, _read.read_guarantees)


def _noise(
    sigma: SupportsFloat | None,
    noise: str | None,
    input_max: SupportsFloat,
    exact_levels: SupportsIndex | None,
    generator: Generator,
) -> _request.Noise:
    """The noise, which the library has checked."""
    made = _request.Noise(
        _convert.noise(sigma, noise),
        None if sigma is None else _convert.real("sigma", sigma),
        _convert.real("input_max", input_max),
        _convert.levels(exact_levels),
        _convert.generator(generator),
    )
    with made.request():
        pass
    return made


def _pointer(array: npt.NDArray[np.float32]) -> Any:
    return array.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
