package smoothtopk

// #include <stdlib.h>
// #include "shim.h"
import "C"

import (
	"fmt"
	"unsafe"
)

// Option is how a model is opened.
type Option func(*options) error

// options builds the library's options; each setter is checked by the library at once.
type options struct {
	lib    *Library
	native *C.stk_model_options
}

func (l *Library) newOptions(list []Option) (*options, error) {
	out := C.shim_model_options_new(l.api())
	if err := l.checked(out); err != nil {
		return nil, err
	}
	o := &options{l, (*C.stk_model_options)(out.value)}
	for i, set := range list {
		err := invalid(ErrInvalidArgument, "opts", fmt.Sprintf("option %d is nil: leave it out", i))
		if set != nil {
			err = set(o)
		}
		if err != nil {
			o.free()
			return nil, err
		}
	}
	return o, nil
}

func (o *options) free() { C.shim_model_options_free(o.lib.api(), o.native) }

// text passes one string to a setter.
func (o *options) text(field, value string, set func(*C.char) C.shim_out) error {
	c, err := cString(field, value)
	if err != nil {
		return err
	}
	defer C.free(unsafe.Pointer(c))
	return o.lib.checked(set(c))
}

// WithProvider says where the model runs: "cpu" (the default), "cuda", "cuda:ID", "tensorrt", "tensorrt:ID",
// "openvino", or the name of any execution provider of ONNX Runtime. Nothing falls back to another without
// WithAllowFallback.
func WithProvider(provider string) Option {
	return func(o *options) error {
		return o.text("provider", provider, func(c *C.char) C.shim_out {
			return C.shim_set_provider(o.lib.api(), o.native, c)
		})
	}
}

// WithProviderOption sets an option of the execution provider, by the provider's own name for it.
func WithProviderOption(key, value string) Option {
	return func(o *options) error {
		k, err := cString("provider_option", key)
		if err != nil {
			return err
		}
		defer C.free(unsafe.Pointer(k))
		return o.text("provider_option", value, func(c *C.char) C.shim_out {
			return C.shim_set_provider_option(o.lib.api(), o.native, k, c)
		})
	}
}

// WithProviderLibrary loads the execution provider from a plugin library.
func WithProviderLibrary(path string) Option {
	return func(o *options) error {
		return o.text("provider_library", path, func(c *C.char) C.shim_out {
			return C.shim_set_provider_library(o.lib.api(), o.native, c)
		})
	}
}

// WithDevices says which GPUs share the samples, for "cuda" and "tensorrt"; none, the default, is the provider's own.
func WithDevices(devices ...uint32) Option {
	return func(o *options) error {
		return o.lib.checked(C.shim_set_devices(o.lib.api(), o.native,
			(*C.uint32_t)(unsafe.SliceData(devices)), C.size_t(len(devices))))
	}
}

// WithAllowFallback says whether the processor takes the place of a provider that cannot be used; ModelInfo.Fallback
// and records then say why. The default is false: the model is not opened.
func WithAllowFallback(allow bool) Option {
	return func(o *options) error {
		return o.lib.checked(C.shim_set_allow_fallback(o.lib.api(), o.native, C.bool(allow)))
	}
}

// WithCUDATF32 says whether CUDA multiplies float32 with 10 bits of fraction, which is another base classifier. The
// default is false.
func WithCUDATF32(on bool) Option {
	return func(o *options) error {
		return o.lib.checked(C.shim_set_cuda_tf32(o.lib.api(), o.native, C.bool(on)))
	}
}

// WithTensorRT says what TensorRT may compute in besides float32, and names the folder that keeps the engines it
// builds, which takes minutes; an empty name, the default, keeps nothing.
func WithTensorRT(fp16, bf16 bool, cacheFolder string) Option {
	return func(o *options) error {
		set := func(c *C.char) C.shim_out {
			return C.shim_set_tensorrt(o.lib.api(), o.native, C.bool(fp16), C.bool(bf16), c)
		}
		if cacheFolder == "" {
			return o.lib.checked(set(nil))
		}
		return o.text("cache_folder", cacheFolder, set)
	}
}

// WithPlanCache says whether a measured batch is looked up in the user's cache folder, which SMOOTHTOPK_CACHE may name,
// and kept there. The default is true.
func WithPlanCache(on bool) Option {
	return func(o *options) error {
		return o.lib.checked(C.shim_set_plan_cache(o.lib.api(), o.native, C.bool(on)))
	}
}

// WithThreads says how many threads draw samples; 0, the default, is one for each usable core on the CPU, else one.
func WithThreads(threads int) Option {
	return func(o *options) error {
		number, err := size("threads", threads)
		if err != nil {
			return err
		}
		return o.lib.checked(C.shim_set_threads(o.lib.api(), o.native, number))
	}
}

// WithBatch says how many rows go into one run of the model; 0, the default, is measured when the model is
// opened, or as kept from an earlier time (WithPlanCache).
func WithBatch(batch int) Option {
	return func(o *options) error {
		number, err := size("batch", batch)
		if err != nil {
			return err
		}
		return o.lib.checked(C.shim_set_batch(o.lib.api(), o.native, number))
	}
}

// WithMemoryLimit bounds the memory of the execution provider, in bytes; 0, the default, is no limit.
func WithMemoryLimit(bytes uint64) Option {
	return func(o *options) error {
		return o.lib.checked(C.shim_set_memory_limit(o.lib.api(), o.native, C.uint64_t(bytes)))
	}
}

// WithMaxJobs sets the most jobs under way at once, one for each input of each call: beyond it a call gives ErrBusy at
// once. 0, the default, is any number.
func WithMaxJobs(jobs uint64) Option {
	return func(o *options) error {
		return o.lib.checked(C.shim_set_max_jobs(o.lib.api(), o.native, C.uint64_t(jobs)))
	}
}

// WithMaxInputBytes sets the most bytes of inputs under way at once, 4 an element: beyond it a call gives ErrBusy at
// once. 0, the default, is any number.
func WithMaxInputBytes(bytes uint64) Option {
	return func(o *options) error {
		return o.lib.checked(C.shim_set_max_input_bytes(o.lib.api(), o.native, C.uint64_t(bytes)))
	}
}

// WithInput names the input that is classified, where the model has several.
func WithInput(name string) Option {
	return func(o *options) error {
		return o.text("input", name, func(c *C.char) C.shim_out { return C.shim_set_input(o.lib.api(), o.native, c) })
	}
}

// WithInputShape gives the shape of one input, without the batch, where the model leaves a dimension open.
func WithInputShape(dims ...int) Option {
	return func(o *options) error {
		shape, err := sizes("input_shape", dims)
		if err != nil {
			return err
		}
		return o.lib.checked(C.shim_set_input_shape(o.lib.api(), o.native, unsafe.SliceData(shape), C.size_t(len(shape))))
	}
}

// WithOutput names the output that holds the scores, where the model leaves a choice.
func WithOutput(name string) Option {
	return func(o *options) error {
		return o.text("output", name, func(c *C.char) C.shim_out { return C.shim_set_output(o.lib.api(), o.native, c) })
	}
}

// WithClasses gives the number of labels, where the output does not show it.
func WithClasses(classes int) Option {
	return func(o *options) error {
		number, err := size("classes", classes)
		if err != nil {
			return err
		}
		return o.lib.checked(C.shim_set_classes(o.lib.api(), o.native, number))
	}
}

// WithThreshold is for a model with a single score per row: label 1 where the score is greater than this, else label 0.
func WithThreshold(threshold float64) Option {
	return func(o *options) error {
		return o.lib.checked(C.shim_set_threshold(o.lib.api(), o.native, C.double(threshold)))
	}
}

// WithBaseK is for a multi-label model: a sample is given the labels of its baseK highest scores, or with WithThreshold
// those of them that are above it. Its counts certify sets of true labels: Counts.CertifyLabels.
func WithBaseK(baseK int) Option {
	return func(o *options) error {
		number, err := size("base_k", baseK)
		if err != nil {
			return err
		}
		return o.lib.checked(C.shim_set_base_k(o.lib.api(), o.native, number))
	}
}

// WithNormalization subtracts mean and divides by stdDev after the noise: each empty, one value, or one per channel.
func WithNormalization(mean, stdDev []float32) Option {
	return func(o *options) error {
		return o.lib.checked(C.shim_set_normalization(o.lib.api(), o.native,
			(*C.float)(unsafe.SliceData(mean)), C.size_t(len(mean)),
			(*C.float)(unsafe.SliceData(stdDev)), C.size_t(len(stdDev))))
	}
}

// WithConstant fixes a further input: one value fills its shape, or as many values as the shape holds, row-major.
func WithConstant(name string, values ...float64) Option {
	return func(o *options) error {
		return o.text("constant", name, func(c *C.char) C.shim_out {
			return C.shim_set_constant(o.lib.api(), o.native, c,
				(*C.double)(unsafe.SliceData(values)), C.size_t(len(values)))
		})
	}
}

// sizes converts to C's type. An empty slice keeps a non-nil pointer where it had one.
func sizes(field string, values []int) ([]C.size_t, error) {
	list := make([]C.size_t, len(values))
	var err error
	for i, value := range values {
		if list[i], err = size(field, value); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func size(field string, value int) (C.size_t, error) {
	if value < 0 {
		return 0, invalid(ErrInvalidArgument, field, "must not be negative")
	}
	return C.size_t(value), nil
}
