// Package cbench calls the library in C's own loop: what the benchmarks compare Go with.
package cbench

// #cgo linux LDFLAGS: -ldl
// #include <stdlib.h>
// #include "cbench.h"
import "C"

import (
	"errors"
	"unsafe"
)

// Bench is a model in C.
type Bench struct{ native C.cbench }

// Open opens a model with one thread and batches of one row.
func Open(library, model string, elements int) (*Bench, error) {
	b := &Bench{}
	l, m := C.CString(library), C.CString(model)
	defer C.free(unsafe.Pointer(l))
	defer C.free(unsafe.Pointer(m))
	if reason := C.cbench_open(&b.native, l, m, C.size_t(elements)); reason != nil {
		return nil, errors.New(C.GoString(reason))
	}
	return b, nil
}

// Blocking predicts n times, one row each.
func (b *Bench) Blocking(n int) { C.cbench_blocking(&b.native, C.size_t(n)) }

// Submit does the same by jobs, waiting for each.
func (b *Bench) Submit(n int) { C.cbench_submit(&b.native, C.size_t(n)) }

// Close frees the model.
func (b *Bench) Close() { C.cbench_close(&b.native) }
