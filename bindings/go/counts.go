package smoothtopk

// #include "shim.h"
import "C"

import "unsafe"

// Counts says how many of N rows gave each label. Rows without a label count in N alone. Plain data: it can be saved,
// and drawn on another machine.
type Counts struct {
	Labels []uint64
	N      uint64
}

// CountsRequest is what is asked of counts. Label, K, Sigma and Alpha are needed, as far as the question uses them:
// CertifyCounts uses every field, GuaranteeCounts K, Sigma, Alpha and RadiusSlack, PredictCounts K and Alpha.
type CountsRequest struct {
	// Label is the label to certify, fixed before looking at these counts.
	Label int
	// K is the k of top-k.
	K int
	// Sigma is the standard deviation of the noise that the rows were drawn with.
	Sigma float64
	// Alpha is the probability that the answer is false: for counts that came with Evidence, its AlphaLeft.
	Alpha float64
	// Bound is how label probabilities are bounded; Ranked if not set.
	Bound Bound
	// Spending is how alpha is spent on the bounds, for what Bound cannot say; where it is given, Bound does not count. It
	// must have been fixed before the rows were drawn.
	Spending Spending
	// Intervals says whether the number of rows was fixed beforehand; IntervalsFixed if empty. Counts that a Rule ended take
	// IntervalsAnytime, and those that RuleSteps ended IntervalsAnytimeTo the N of its Request.
	Intervals Intervals
	// RadiusSlack is taken off the radius: what rounding to a grid can add to a perturbation.
	RadiusSlack float64
}

// CertifyCounts certifies a label from counts, without a model.
func (l *Library) CertifyCounts(counts Counts, request CountsRequest) (Certificate, error) {
	if request.Label < 0 {
		return Certificate{}, invalid(ErrInvalidArgument, "label", "must not be negative")
	}
	if request.K < 0 {
		return Certificate{}, invalid(ErrInvalidArgument, "k", "must not be negative")
	}
	spending, err := cText("spending", string(request.spending()))
	if err != nil {
		return Certificate{}, err
	}
	intervals, err := cText("intervals", string(request.Intervals))
	if err != nil {
		return Certificate{}, err
	}
	native, err := l.giveCounts(counts)
	if err != nil {
		return Certificate{}, err
	}
	defer C.shim_counts_free(l.api, native)
	var summary C.stk_summary
	label, k, sigma, alpha := C.size_t(request.Label), C.size_t(request.K), C.double(request.Sigma), C.double(request.Alpha)
	slack := C.double(request.RadiusSlack)
	var out C.shim_out
	if request.Spending == "" && request.Intervals == "" {
		out = C.shim_counts_certify(l.api, native, label, k, sigma, alpha, C.stk_bound(request.Bound), slack, &summary)
	} else {
		out = C.shim_counts_certify_with(l.api, native, label, k, sigma, alpha, unsafe.SliceData(spending),
			unsafe.SliceData(intervals), slack, &summary)
	}
	if err := l.checked(out); err != nil {
		return Certificate{}, err
	}
	found := certificate(&summary)
	found.Spending = request.spending()
	return found, nil
}

// spending is what is spent, as a Bound can say too.
func (r *CountsRequest) spending() Spending {
	if r.Spending != "" {
		return r.Spending
	}
	return Spending(r.Bound.String())
}

// PredictCounts finds the top k of counts, or abstains, without a model.
func (l *Library) PredictCounts(counts Counts, request CountsRequest) (Prediction, error) {
	if request.K < 0 {
		return Prediction{}, invalid(ErrInvalidArgument, "k", "must not be negative")
	}
	native, err := l.giveCounts(counts)
	if err != nil {
		return Prediction{}, err
	}
	defer C.shim_counts_free(l.api, native)
	var summary C.stk_summary
	// No valid k is above the number of labels; for the others the library writes nothing.
	labels := make([]int64, min(request.K, len(counts.Labels))+1)
	err = l.checked(C.shim_counts_predict(l.api, native, C.size_t(request.K), C.double(request.Alpha),
		(*C.int64_t)(&labels[0]), &summary))
	if err != nil {
		return Prediction{}, err
	}
	return prediction(&summary, labels[:request.K]), nil
}

// AddCounts adds counts of disjoint rows of the same input, noise and model.
func (l *Library) AddCounts(a, b Counts) (Counts, error) {
	sum, err := l.giveCounts(a)
	if err != nil {
		return Counts{}, err
	}
	defer C.shim_counts_free(l.api, sum)
	other, err := l.giveCounts(b)
	if err != nil {
		return Counts{}, err
	}
	defer C.shim_counts_free(l.api, other)
	if err := l.checked(C.shim_counts_add(l.api, sum, other)); err != nil {
		return Counts{}, err
	}
	return l.readCounts(sum)
}

func (l *Library) giveCounts(counts Counts) (*C.stk_counts, error) {
	out := C.shim_counts_new(l.api, (*C.uint64_t)(unsafe.SliceData(counts.Labels)), C.size_t(len(counts.Labels)),
		C.uint64_t(counts.N))
	return (*C.stk_counts)(out.value), l.checked(out)
}

func (l *Library) readCounts(native *C.stk_counts) (Counts, error) {
	labels, err := array[uint64](l, C.shim_counts_labels(l.api, native))
	return Counts{labels, uint64(C.shim_counts_n(l.api, native))}, err
}

// takeCounts copies native counts and frees them.
func (l *Library) takeCounts(native *C.stk_counts) (*Counts, error) {
	defer C.shim_counts_free(l.api, native)
	counts, err := l.readCounts(native)
	return &counts, err
}
