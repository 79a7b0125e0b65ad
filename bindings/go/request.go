package smoothtopk

// #include "shim.h"
import "C"

import (
	"fmt"
	"time"
)

// Bound is how label probabilities are bounded by counts.
type Bound int32

const (
	// Ranked bounds a label fixed beforehand against its k largest rivals; the default.
	Ranked Bound = C.STK_BOUND_RANKED
	// SimuEM bounds all labels at once, the method of Jia et al. (ICLR 2020).
	SimuEM Bound = C.STK_BOUND_SIMUEM
	// BinoCP bounds the label alone, and gives its rivals all that is left.
	BinoCP Bound = C.STK_BOUND_BINOCP
)

var boundNames = map[Bound]string{Ranked: "ranked", SimuEM: "simuem", BinoCP: "binocp"}

// String is the bound's name: ranked, simuem or binocp.
func (b Bound) String() string {
	if name, known := boundNames[b]; known {
		return name
	}
	return fmt.Sprintf("Bound(%d)", int32(b))
}

// ParseBound reads ranked, simuem or binocp.
func ParseBound(name string) (Bound, error) {
	for bound, known := range boundNames {
		if name == known {
			return bound, nil
		}
	}
	return 0, invalid(ErrInvalidArgument, "bound", fmt.Sprintf("must be ranked, simuem or binocp, got %q", name))
}

// NoLabel stands for a label that is to be chosen, or that there is none.
const NoLabel = -1

// Request is what is asked about inputs. Only Sigma is needed: a field left at its zero value means the default. A
// Request is read during a call and not kept; it may be used again, and by several goroutines.
type Request struct {
	// Sigma is the standard deviation of the Gaussian noise, on the input's own scale.
	Sigma float64
	// K holds the k of top-k, each from 1 to the number of labels less 1; {1} if nil. Every k gets an answer of its own,
	// at Alpha, from the same rows.
	K []int
	// N is how many rows answer; 100,000 if 0.
	N int64
	// N0 is how many rows of their own choose a label to certify, where none is given; 100 if 0.
	N0 int64
	// Alpha is the probability that an answer is false; 0.001 if 0.
	Alpha float64
	// Bound is how label probabilities are bounded; Ranked if not set.
	Bound Bound
	// Seed of the noise, as in Seed: smoothtopk.Seed(7); drawn from the operating system if nil. Whoever knows the seed
	// knows the noise.
	Seed *uint64
	// Key is the job key of the first input; input i has Key + i. Inputs that share a seed and a key share their noise.
	Key uint64
	// InputMax is the largest magnitude of an input's element; 1 if 0. It fixes the grid that inputs and noise are rounded
	// to, and must be the same for every input of a classifier.
	InputMax float64
	// Timeout ends the run with ErrDeadlineExceeded, rounded up to milliseconds; none if 0. A deadline of the context
	// does the same with the context's cause.
	Timeout time.Duration
	// Labels are what Certify certifies: one per input, fixed before looking at any rows, or NoLabel to have one chosen
	// by N0 rows. nil: all are chosen. Predict and Sample ignore it.
	Labels []int
	// Progress, if not nil, is called on the caller's goroutine some ten times a second, and when the last row is
	// counted, with the rows so far and in all. Sample ignores it.
	Progress func(done, total uint64)

	// literal passes zero values as they are, so that tests see what the library says about them.
	literal bool
}

// Seed gives a seed the form that Request takes.
func Seed(seed uint64) *uint64 { return &seed }

// native is the request in C's terms.
func (r *Request) native() (C.shim_request, []C.size_t, error) {
	out := C.shim_request{
		sigma: C.double(r.Sigma), alpha: C.double(r.Alpha), input_max: C.double(r.InputMax),
		n: C.uint64_t(r.N), n0: C.uint64_t(r.N0), key: C.uint64_t(r.Key), bound: C.int32_t(r.Bound),
	}
	set := func(flag C.uint32_t, is bool) {
		if is || r.literal {
			out.set |= flag
		}
	}
	set(C.SHIM_SET_N, r.N != 0)
	set(C.SHIM_SET_N0, r.N0 != 0)
	set(C.SHIM_SET_ALPHA, r.Alpha != 0)
	set(C.SHIM_SET_INPUT_MAX, r.InputMax != 0)
	if r.K != nil {
		out.set |= C.SHIM_SET_K
	}
	if r.Seed != nil {
		out.set |= C.SHIM_SET_SEED
		out.seed = C.uint64_t(*r.Seed)
	}
	for _, field := range []struct {
		name  string
		value int64
	}{{"n", r.N}, {"n0", r.N0}, {"timeout", int64(r.Timeout)}} {
		if field.value < 0 {
			return out, nil, invalid(ErrInvalidArgument, field.name, "must not be negative")
		}
	}
	if r.Timeout > 0 {
		out.timeout_ms = C.uint64_t((r.Timeout-1)/time.Millisecond + 1)
	}
	k, err := sizes("k", r.K)
	return out, k, err
}
