package smoothtopk

// #include "shim.h"
import "C"

import "time"

// NoLabel stands for a label that is to be chosen, or that there is none.
const NoLabel = -1

// SameSamples as a request's N0 makes CertifyAnswer take the labels that are most frequent among the very N samples
// that certify them, and not among samples of their own. That is paid for out of alpha.
const SameSamples = -1

// Request is what is asked about inputs. Only Sigma or Noise is needed: a field left at its zero value means the
// default. A Request is read during a call and not kept; it may be used again, and by several goroutines.
type Request struct {
	// Noise is what is added to the input.
	Noise Noise
	// Sigma is the short form of NoiseGaussian(Sigma), in the units of the input.
	Sigma float64
	// K holds the k of top-k, each from 1 to the number of labels less 1; {1} if nil. Every k gets an answer of its
	// own, at Alpha, from the same samples.
	K []int
	// N is how many samples answer; 100,000 if 0. Under a Rule it is the most of them.
	N int64
	// N0 is how many separate samples choose a label to certify, where none is given, or the labels of
	// CertifyAnswer; 100 if 0. SameSamples is for CertifyAnswer.
	N0 int64
	// Alpha is the probability that an answer is false; 0.001 if 0.
	Alpha float64
	// Rule says when the samples are enough; RuleFixed if empty. CertifyAnswer takes RuleFixed and, where samples of
	// their own choose the labels, RuleRadius, RuleTolerance and RuleToleranceSigma, which are then about SetRadius.
	// Sample ignores it.
	Rule Rule
	// Allocation is how Alpha is split between the bounds; Ranked if empty. Certify alone uses it.
	Allocation Allocation
	// Randomized takes randomized bounds, for a little larger radii on average at the same Alpha. Certify alone uses
	// it, with RuleFixed; Certificate.Validity says by which number.
	Randomized bool
	// Generator of the noise: Philox if 0, or ChaCha12 if 0 and there is a key for it.
	Generator Generator
	// Seed of Philox, as in Seed: smoothtopk.Seed(7); drawn from the operating system if nil. Whoever knows the seed
	// knows the noise.
	Seed *uint64
	// ChaCha12Key is the key of ChaCha12, secret and random; drawn from the operating system if nil. JSONWithSecret
	// holds it, and nothing else does.
	ChaCha12Key *[ChaCha12KeySize]byte
	// ExactLevels, if not 0, sets exact noise: inputs are multiples of 1/ExactLevels (255 for 8-bit pixels scaled to 0
	// .. 1, 1 for the pixels as they are; at most 2^20), and the noise is the Gaussian discretised to that grid, sigma
	// 1 to 3500 steps of it. Certificates are then about inputs on the grid and the distances between them, and nothing
	// is taken off the radius; what separates the noise from a Gaussian is taken off alpha. 0: noise in float32,
	// rounded to a fine grid.
	ExactLevels uint32
	// Stream names the noise of the first input under its seed or key; input i has Stream + i. Inputs that share a seed
	// and a stream share their noise.
	Stream uint64
	// InputMax is the largest magnitude of an input's element; 1 if 0. It fixes the grid that inputs and noise are
	// rounded to, and must be the same for every input of a classifier.
	InputMax float64
	// Timeout ends the run, rounded up to milliseconds; none if 0. Under a Rule other than RuleFixed the answers of the
	// last look are then given, with Evidence.EarlyStop; without a rule, or before an input's first look, there is no
	// answer and the call fails with ErrDeadlineExceeded. A deadline of the context does the same, with the context's
	// cause; a context that is cancelled gives ErrCancelled, with its cause.
	Timeout time.Duration
	// Labels are what Certify certifies: one per input, fixed before looking at any samples, or NoLabel to have one
	// chosen by N0 samples. nil: all are chosen. The other calls ignore it.
	Labels []int
	// Progress, if not nil, is called on the caller's goroutine some ten times a second, and when the last sample is
	// counted, with the samples so far and in all (under a Rule the most of them). Sample ignores it.
	Progress func(done, total uint64)

	// literal passes zero values as they are, so that tests see what the library says about them.
	literal bool
}

// Seed gives a seed the form that Request takes.
func Seed(seed uint64) *uint64 { return &seed }

// asked is a request in C's terms: its numbers, and what shim.h has as SHIM_REST.
type asked struct {
	numbers                 C.shim_request
	k                       []C.size_t
	noise, rule, allocation *C.char
}

func (r *Request) native() (asked, error) {
	out := asked{numbers: C.shim_request{
		alpha: C.double(r.Alpha), input_max: C.double(r.InputMax), n: C.uint64_t(r.N), n0: C.uint64_t(r.N0),
		stream: C.uint64_t(r.Stream), levels: C.uint32_t(r.ExactLevels), k_len: C.size_t(len(r.K)),
	}}
	for _, field := range []struct {
		name         string
		value, least int64
	}{{"n", r.N, 0}, {"n0", r.N0, SameSamples}, {"timeout", int64(r.Timeout), 0}} {
		if field.value < field.least {
			return out, invalid(ErrInvalidArgument, field.name, "must not be negative")
		}
	}
	if err := r.setGenerator(&out.numbers); err != nil {
		return out, err
	}
	set := func(flag C.uint32_t, is bool) {
		if is || r.literal {
			out.numbers.set |= flag
		}
	}
	set(C.SHIM_SET_N, r.N != 0)
	set(C.SHIM_SET_N0, r.N0 != 0)
	set(C.SHIM_SET_ALPHA, r.Alpha != 0)
	set(C.SHIM_SET_INPUT_MAX, r.InputMax != 0)
	if r.K != nil {
		out.numbers.set |= C.SHIM_SET_K
	}
	if r.Randomized {
		out.numbers.set |= C.SHIM_SET_RANDOMIZED
	}
	if r.N0 == SameSamples {
		out.numbers.n0 = 0
	}
	out.numbers.timeout_ms = milliseconds(r.Timeout)
	var err error
	if out.k, err = sizes("k", r.K); err != nil {
		return out, err
	}
	noise, err := r.noise()
	if err != nil {
		return out, err
	}
	if out.noise, err = cText("noise", string(noise)); err != nil {
		return out, err
	}
	if out.rule, err = cText("rule", string(r.Rule)); err != nil {
		return out, err
	}
	out.allocation, err = cText("allocation", string(r.Allocation))
	return out, err
}

// milliseconds rounds up: 0 alone is no limit.
func milliseconds(d time.Duration) C.uint64_t {
	if d <= 0 {
		return 0
	}
	return C.uint64_t((d-1)/time.Millisecond + 1)
}
