package smoothtopk

// #include "shim.h"
import "C"

import (
	"slices"
	"unsafe"
)

// Float16 is the bits of an IEEE binary16, as models and tensors hold them.
type Float16 uint16

// BFloat16 is the upper half of the bits of a float32.
type BFloat16 uint16

// Element is a type of inputs' elements that the library reads, with no copy in float32 made of them all. A uint8 is
// from 0 to 255, and the noise is on that scale; a float64 is rounded to the nearest float32, and what is said holds for
// the rounded input.
type Element interface {
	float32 | float64 | uint8 | Float16 | BFloat16
}

// rows are inputs as C takes them, or why they cannot be taken.
type rows struct {
	data  unsafe.Pointer
	dtype C.stk_dtype
	count int
	err   error
}

// rowsOf lays inputs behind one another; a single one is used where it lies.
func rowsOf[T Element](m *Model, inputs [][]T) rows {
	var zero T
	out := rows{count: len(inputs), dtype: C.STK_DTYPE_FLOAT32}
	switch any(zero).(type) {
	case float64:
		out.dtype = C.STK_DTYPE_FLOAT64
	case uint8:
		out.dtype = C.STK_DTYPE_UINT8
	case Float16:
		out.dtype = C.STK_DTYPE_FLOAT16
	case BFloat16:
		out.dtype = C.STK_DTYPE_BFLOAT16
	}
	for _, input := range inputs {
		if out.err = m.fits(len(input)); out.err != nil {
			return out
		}
	}
	joined := slices.Concat(inputs...)
	if len(inputs) == 1 {
		joined = inputs[0]
	}
	out.data = unsafe.Pointer(unsafe.SliceData(joined))
	return out
}
