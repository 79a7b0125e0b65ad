package smoothtopk

// #include <stdlib.h>
// #include "shim.h"
import "C"

import (
	"fmt"
	"runtime/cgo"
	"unsafe"
)

// Func is a function of yours as base classifier, and what is said of it: an engine, a remote model, a forest.
type Func struct {
	// Name is what records and counts call it.
	Name string
	// Digest tells it from every other function, such as a hash of its weights: counts of models of the same name and
	// digest may be added. Empty: counts are added within one model alone.
	Digest string
	// Shape is the shape of one row.
	Shape []int
	// Classes is the number of labels.
	Classes int
	// GivesLabels says that Classify gives labels; the default is scores.
	GivesLabels bool
	// Classify writes the scores, or the labels, of all rows of a batch. It is called from as many threads at once as
	// the model has, one where WithThreads says none. The same row must always get the same, whichever rows stand beside
	// it. An error, or a panic, fails the calls that have rows in the batch, with its text and ErrRun. It must neither
	// wait for work of its own model nor close it.
	Classify func(*Batch) error
}

// Batch is what a Func classifies at a time. All of it is the library's memory: it must not be used when Classify has
// returned.
type Batch struct {
	// Rows holds Count rows, one after another.
	Rows []float32
	// Count is the number of rows, at most ModelInfo.Batch.
	Count int
	// Scores is where the scores go, Count times Classes; nil where labels are given. The highest is a row's label. A row
	// with NaN, or whose highest score is infinite, is an invalid sample.
	Scores []float32
	// Labels is where the labels go, from 0 to Classes - 1; nil where scores are given.
	Labels []int64

	lib       *Library
	cancelled *C.stk_cancel
}

// Row is one of the rows.
func (b *Batch) Row(i int) []float32 {
	elements := len(b.Rows) / b.Count
	return b.Rows[i*elements : (i+1)*elements]
}

// Cancelled says whether nobody wants the batch any more: Classify may then return at once.
func (b *Batch) Cancelled() bool { return bool(C.shim_cancel_is_set(b.lib.api(), b.cancelled)) }

// ModelFromFunc makes a model of a function, which needs no ONNX Runtime. It is tried with a few rows; where WithBatch
// is not given, the fastest batch is measured in about two seconds of calls. Options other than WithThreads, WithBatch,
// WithMaxJobs and WithMaxInputBytes are refused. Such a model must be closed: the garbage collector frees none whose
// function mentions it.
func (l *Library) ModelFromFunc(f Func, opts ...Option) (*Model, error) {
	if f.Classify == nil {
		return nil, invalid(ErrInvalidArgument, "Classify", "must not be nil")
	}
	name, err := cString("name", f.Name)
	if err != nil {
		return nil, err
	}
	defer C.free(unsafe.Pointer(name))
	var digest *C.char
	if f.Digest != "" {
		if digest, err = cString("digest", f.Digest); err != nil {
			return nil, err
		}
		defer C.free(unsafe.Pointer(digest))
	}
	shape, err := sizes("shape", f.Shape)
	if err != nil {
		return nil, err
	}
	classes, err := size("classes", f.Classes)
	if err != nil {
		return nil, err
	}
	handle := cgo.NewHandle(&openFunc{l, f.Classify})
	model, err := l.openModel(opts, func(o *options) C.shim_out {
		return C.shim_model_from_callback(l.api(), name, digest, unsafe.SliceData(shape), C.size_t(len(shape)), classes,
			C.bool(f.GivesLabels), C.uintptr_t(handle), o.native)
	})
	if err != nil {
		handle.Delete()
	}
	return model, err
}

// openFunc is what the handle of a model's function holds.
type openFunc struct {
	lib      *Library
	classify func(*Batch) error
}

// call runs the function, and says why it could not.
func (f *openFunc) call(native *C.stk_batch) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic: %v", cause)
		}
	}()
	count, classes := int(native.count), int(native.classes)
	return f.classify(&Batch{
		Rows:      unsafe.Slice((*float32)(native.rows), count*int(native.elements)),
		Count:     count,
		Scores:    unsafe.Slice((*float32)(native.scores), written(native.scores != nil, count*classes)),
		Labels:    unsafe.Slice((*int64)(native.labels), written(native.labels != nil, count)),
		lib:       f.lib,
		cancelled: native.cancelled,
	})
}

// written is n where there is something to be written to, else 0.
func written(there bool, n int) int {
	if there {
		return n
	}
	return 0
}

// classifyBatch is what the library calls.
func classifyBatch(handle cgo.Handle, batch unsafe.Pointer) bool {
	native := (*C.stk_batch)(batch)
	err := handle.Value().(*openFunc).call(native)
	if err == nil {
		return true
	}
	message := unsafe.Slice((*byte)(unsafe.Pointer(native.message)), native.message_size)
	n := copy(message[:len(message)-1], err.Error())
	message[n] = 0
	return false
}
