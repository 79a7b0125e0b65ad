package smoothtopk

// #include "shim.h"
import "C"

import (
	"runtime"
	"time"
	"unsafe"
)

// Evidence is what an answer rests on: what was asked, and what was counted.
type Evidence struct {
	// Err is why this input has no answer; nil if it has one.
	Err error
	// Cut is why the rows ended before the rule was done with them; nil where they did not. An answer with a Cut, which
	// errors.Is finds ErrDeadlineExceeded in, is sound.
	Cut error
	// Counts says how many of the N rows gave each label.
	Counts []uint64
	// Selection is the same of the N0 rows that chose the label, the labels, or how alpha is spent; nil where none chose.
	Selection []uint64
	// N is how many rows were counted: those without a label count too. Under a rule they are those of the last look.
	N uint64
	// N0 is how many rows chose, 0 where none did.
	N0 uint64
	// SamplesDrawn is how many rows were drawn: N, and those after the last look; not the N0.
	SamplesDrawn uint64
	// Sigma is the standard deviation of the noise.
	Sigma float64
	// Alpha is the probability that an answer is false.
	Alpha float64
	// AlphaLeft is what is left of Alpha for the bounds, after what exact noise's distance from a Gaussian costs. It is the
	// alpha that gives a radius again from the counts.
	AlphaLeft float64
	// Generator is what the noise came from.
	Generator Generator
	// Seed is the noise's seed, 0 with ChaCha12, and Key the job key: with them, or with the key of ChaCha12 that JSON has,
	// the counts can be drawn again.
	Seed, Key uint64
	// Grid is the step of the grid that the input and the noise were on.
	Grid float64
	// ExactLevels is the request's, 0 where the noise was not exact.
	ExactLevels uint32
	// Elapsed is the time from the first row to the last.
	Elapsed time.Duration

	result *result
	index  int
}

// Certificate says within which radius a label stays among the smoothed classifier's top k.
type Certificate struct {
	// K is the k of this statement.
	K int
	// Label is the label certified, NoLabel if none could be chosen.
	Label int
	// Certified tells whether there is a certificate: Radius is above 0.
	Certified bool
	// Radius is the certified l2 radius on the input's scale; 0 without a certificate.
	Radius float64
	// RadiusSlack is what rounding to the grid took off the radius.
	RadiusSlack float64
	// PLower is the lower confidence bound of the label's probability.
	PLower float64
	// PUpper is the upper confidence bound of the limiting rivals' summed probability.
	PUpper float64
	// Bound is how the two were computed, OtherBound where Allocation alone tells.
	Bound Bound
	// Allocation is how alpha was spent on them, as CertifyCounts takes it; AllocationAuto was replaced by what it chose. Empty
	// where there is no answer.
	Allocation Allocation
	// Validity is the kind of bounds, as CertifyCounts takes it. Empty where there is no certificate, and in what
	// CertifyCounts finds.
	Validity Validity
	// Rows is how many rows the certificate rests on: Evidence.N, or fewer, where one of several k had a larger radius at
	// an earlier look.
	Rows uint64
	// Decision is what the rule decided.
	Decision Decision
	// Uniform is the number of ValidityRandomized that gives the radius again from the counts; 0 where the bounds are not
	// randomized.
	Uniform float64
}

// Prediction is the smoothed classifier's top k, or an abstention.
type Prediction struct {
	// K is the k of this statement.
	K int
	// Abstain tells that the counts do not settle the top k at Alpha. Labels is then no prediction.
	Abstain bool
	// Labels are the k labels with the largest counts, descending, also when abstaining.
	Labels []int
	// PValue is that of the test between the k-th and the next label; under a rule one that holds at all looks at once.
	PValue float64
	// Decision is what the rule decided.
	Decision Decision
}

// Certification is Certify's answer about one input.
type Certification struct {
	Evidence
	// Certificates has one entry for each k of the request.
	Certificates []Certificate
}

// PredictionSet is Predict's answer about one input.
type PredictionSet struct {
	Evidence
	// Predictions has one entry for each k of the request.
	Predictions []Prediction
}

// JSON is the library's rendering, with all that is needed to check the answer again: the model's digest, provider,
// request, seed, counts, versions. It may be called at any time, also after the model was closed.
func (e Evidence) JSON() ([]byte, error) {
	if e.result == nil {
		return nil, invalid(ErrInvalidArgument, "", "this result does not come from the library")
	}
	lib := e.result.lib
	out := C.shim_result_json(lib.api(), e.result.native, C.size_t(e.index))
	if err := lib.checked(out); err != nil {
		return nil, err
	}
	text := []byte(C.GoString((*C.char)(out.value)))
	runtime.KeepAlive(e.result)
	return text, nil
}

// MarshalJSON is JSON.
func (e Evidence) MarshalJSON() ([]byte, error) { return e.JSON() }

// result owns the library's result, for JSON alone: everything else is copied.
type result struct {
	lib    *Library
	native *C.stk_result
}

func (l *Library) newResult(native *C.stk_result) *result {
	r := &result{l, native}
	runtime.AddCleanup(r, func(native *C.stk_result) { C.shim_result_free(l.api(), native) }, native)
	return r
}

// entries copies every input's answer out: each is called for every input, with the summaries of its k.
func (r *result) entries(each func(evidence Evidence, summaries []C.stk_summary, input C.size_t) error) error {
	defer runtime.KeepAlive(r)
	lib := r.lib
	summaries := make([]C.stk_summary, C.shim_result_k_len(lib.api(), r.native))
	for input := range C.shim_result_len(lib.api(), r.native) {
		for i := range summaries {
			if err := lib.checked(C.shim_result_summary(lib.api(), r.native, input, C.size_t(i), &summaries[i])); err != nil {
				return err
			}
		}
		counts, err := array[uint64](lib, C.shim_result_counts(lib.api(), r.native, input))
		if err != nil {
			return err
		}
		selection, err := array[uint64](lib, C.shim_result_selection(lib.api(), r.native, input))
		if err != nil {
			return err
		}
		evidence := Evidence{Counts: counts, Selection: selection, result: r, index: int(input)}
		if len(summaries) > 0 {
			evidence.take(&summaries[0])
		}
		if err := each(evidence, summaries, input); err != nil {
			return err
		}
	}
	return nil
}

func (e *Evidence) take(s *C.stk_summary) {
	if s.status != C.STK_STATUS_OK {
		e.Err = Status(s.status)
	}
	if s.cut != C.STK_STATUS_OK {
		e.Cut = Status(s.cut)
	}
	e.N, e.N0, e.SamplesDrawn = uint64(s.n), uint64(s.n0), uint64(s.samples_drawn)
	e.Sigma, e.Alpha, e.AlphaLeft = float64(s.sigma), float64(s.alpha), float64(s.alpha_left)
	e.Generator, e.Seed, e.Key = Generator(s.generator), uint64(s.seed), uint64(s.key)
	e.Grid, e.ExactLevels = float64(s.grid), uint32(s.levels)
	e.Elapsed = time.Duration(float64(s.seconds) * float64(time.Second))
}

func certificate(s *C.stk_summary) Certificate {
	return Certificate{
		K: int(s.k), Label: int(s.label), Certified: s.certified != 0, Radius: float64(s.radius),
		RadiusSlack: float64(s.radius_slack), PLower: float64(s.p_lower), PUpper: float64(s.p_upper),
		Bound: Bound(s.bound), Rows: uint64(s.n_certified), Decision: Decision(s.decision),
		Uniform: float64(s.uniform),
	}
}

func prediction(s *C.stk_summary, labels []int64) Prediction {
	return Prediction{
		K: int(s.k), Abstain: s.abstain != 0, Labels: ints(labels), PValue: float64(s.p_value),
		Decision: Decision(s.decision),
	}
}

func (r *result) certifications() ([]Certification, error) {
	var list []Certification
	err := r.entries(func(evidence Evidence, summaries []C.stk_summary, input C.size_t) error {
		certificates := make([]Certificate, len(summaries))
		for i := range summaries {
			certificates[i] = certificate(&summaries[i])
			out := C.shim_result_allocation(r.lib.api(), r.native, input, C.size_t(i))
			if err := r.lib.checked(out); err != nil {
				return err
			}
			certificates[i].Allocation = Allocation(C.GoString((*C.char)(out.value)))
			var err error
			if certificates[i].Validity, err = r.validity(input, C.size_t(i)); err != nil {
				return err
			}
		}
		list = append(list, Certification{evidence, certificates})
		return nil
	})
	return list, err
}

func (r *result) validity(input, k C.size_t) (Validity, error) {
	out := C.shim_result_validity(r.lib.api(), r.native, input, k)
	if err := r.lib.checked(out); err != nil {
		return "", err
	}
	return Validity(C.GoString((*C.char)(out.value))), nil
}

func (r *result) predictions() ([]PredictionSet, error) {
	var list []PredictionSet
	err := r.entries(func(evidence Evidence, summaries []C.stk_summary, input C.size_t) error {
		predictions := make([]Prediction, len(summaries))
		for i := range summaries {
			labels, err := array[int64](r.lib, C.shim_result_labels(r.lib.api(), r.native, input, C.size_t(i)))
			if err != nil {
				return err
			}
			predictions[i] = prediction(&summaries[i], labels)
		}
		list = append(list, PredictionSet{evidence, predictions})
		return nil
	})
	return list, err
}

// array copies an array out of the library; nil for an empty one.
func array[T any](lib *Library, out C.shim_array) ([]T, error) {
	if err := lib.check(out.status, out.error); err != nil || out.len == 0 {
		return nil, err
	}
	return append([]T(nil), unsafe.Slice((*T)(out.data), int(out.len))...), nil
}

func ints(values []int64) []int {
	list := make([]int, len(values))
	for i, value := range values {
		list[i] = int(value)
	}
	return list
}
