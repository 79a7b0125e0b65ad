package smoothtopk

// #include <stdlib.h>
// #include "shim.h"
import "C"

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"unsafe"
)

// Model is a base classifier with the threads that draw its noisy samples. All methods may be called from any number of
// goroutines at once; their samples share batches, and nobody's answer depends on who else is asking.
//
// Close frees it. A model that becomes unreachable without Close is freed by the garbage collector, some time later. A
// copy is the same model. One that nothing opened panics when it is used.
type Model struct {
	*openedModel
}

// openedModel owns the library's model, for all copies of a Model.
type openedModel struct {
	lib     *Library
	native  *C.stk_model
	info    ModelInfo
	cleanup runtime.Cleanup

	mu      sync.Mutex
	closed  bool
	calls   sync.WaitGroup
	closing context.Context // ends when Close begins: calls under way cancel their runs
	close   context.CancelFunc
	freed   chan struct{} // closed when Close has ended
}

// ModelInfo describes an open model.
type ModelInfo struct {
	// Elements is the number of float32 values of one input.
	Elements int
	// Shape is the shape of one input, without the batch.
	Shape []int
	// Classes is the number of labels.
	Classes int
	// Batch is how many rows one run of the model takes.
	Batch int
	// Threads is how many threads draw samples.
	Threads int
	// Provider is where the model runs, such as "cpu" or "cuda:0", or "cuda:0,cuda:1" with several devices.
	Provider string
	// Arithmetic is in what float32 is computed: "float32" or "tf32", with "+float16" or "+bfloat16" where TensorRT may
	// choose these; "the provider's" of one chosen by its name. The provider's options follow, for any may change it.
	Arithmetic string
	// Fallback says why the model runs on the processor and not by the provider asked for; empty where that runs it.
	Fallback string
	// SHA256 is the digest of the model's file, in hexadecimal.
	SHA256 string
	// SignatureJSON describes inputs and outputs, which of them holds the scores, and why.
	SignatureJSON string
}

// nativeModels counts the models that are open in the library: tests look at it.
var nativeModels atomic.Int64

// OpenModel opens the ONNX file at path.
func (l *Library) OpenModel(path string, opts ...Option) (*Model, error) {
	text, err := cString("path", path)
	if err != nil {
		return nil, err
	}
	defer C.free(unsafe.Pointer(text))
	return l.openModel(opts, func(o *options) C.shim_out { return C.shim_model_open(l.api(), text, o.native) })
}

// OpenModelBytes opens an ONNX model from memory; data is not needed afterwards.
func (l *Library) OpenModelBytes(data []byte, opts ...Option) (*Model, error) {
	return l.openModel(opts, func(o *options) C.shim_out {
		return C.shim_model_open_memory(l.api(), unsafe.Pointer(unsafe.SliceData(data)), C.size_t(len(data)), o.native)
	})
}

func (l *Library) openModel(opts []Option, open func(*options) C.shim_out) (*Model, error) {
	o, err := l.newOptions(opts)
	if err != nil {
		return nil, err
	}
	defer o.free()
	out := open(o)
	if err := l.checked(out); err != nil {
		return nil, err
	}
	native := (*C.stk_model)(out.value)
	nativeModels.Add(1)
	info, err := l.describe(native)
	if err != nil {
		l.freeModel(native)
		return nil, err
	}
	m := &openedModel{lib: l, native: native, info: info, freed: make(chan struct{})}
	m.closing, m.close = context.WithCancel(context.Background())
	m.cleanup = runtime.AddCleanup(m, l.freeModel, native)
	return &Model{m}, nil
}

func (l *Library) freeModel(native *C.stk_model) {
	C.shim_model_free(l.api(), native)
	nativeModels.Add(-1)
}

func (l *Library) describe(native *C.stk_model) (ModelInfo, error) {
	out := C.shim_model_shape(l.api(), native)
	if err := l.check(out.status, out.error); err != nil {
		return ModelInfo{}, err
	}
	info := ModelInfo{
		Elements:      int(C.shim_model_elements(l.api(), native)),
		Classes:       int(C.shim_model_classes(l.api(), native)),
		Batch:         int(C.shim_model_batch(l.api(), native)),
		Threads:       int(C.shim_model_threads(l.api(), native)),
		Provider:      C.GoString(C.shim_model_provider(l.api(), native)),
		Arithmetic:    C.GoString(C.shim_model_arithmetic(l.api(), native)),
		Fallback:      C.GoString(C.shim_model_fallback(l.api(), native)),
		SHA256:        C.GoString(C.shim_model_sha256(l.api(), native)),
		SignatureJSON: C.GoString(C.shim_model_signature_json(l.api(), native)),
	}
	for _, dim := range unsafe.Slice((*C.size_t)(out.data), out.len) {
		info.Shape = append(info.Shape, int(dim))
	}
	return info, nil
}

// Info describes the model. It may be called after Close.
func (m *Model) Info() ModelInfo {
	m.mustBeOpened()
	info := m.info
	info.Shape = append([]int(nil), info.Shape...)
	return info
}

// Close cancels the calls under way, waits until they have returned (they give ErrClosed, and what they had counted),
// and frees the model. Later calls give ErrClosed. Closing again, or from several goroutines, waits for the same end.
// Close must not be called from a Progress function of the same model, for whose return it would wait. The error is
// always nil.
func (m *Model) Close() error {
	m.mustBeOpened()
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		<-m.freed
		return nil
	}
	m.closed = true
	m.mu.Unlock()
	m.close()
	m.calls.Wait()
	m.cleanup.Stop()
	m.lib.freeModel(m.native)
	m.native = nil
	close(m.freed)
	return nil
}

// mustBeOpened gives the reason where Go would tell of a nil pointer.
func (m *Model) mustBeOpened() {
	if m == nil || m.openedModel == nil {
		panic("smoothtopk: a Model that neither OpenModel nor ModelFromFunc made")
	}
}

// acquire keeps the model open until release.
func (m *Model) acquire() error {
	m.mustBeOpened()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return ErrClosed
	}
	m.calls.Add(1)
	return nil
}

func (m *Model) release() {
	m.calls.Done()
	// The garbage collector must not free the model during a call that is the last to mention it.
	runtime.KeepAlive(m.openedModel)
}
