package smoothtopk

// #include "shim.h"
import "C"

import (
	"slices"
	"unsafe"
)

// Counts says how many of N rows gave each label. Plain data: it can be saved, and drawn on another machine.
type Counts struct {
	// Labels has the rows that gave each label.
	Labels []uint64
	// N is how many rows were drawn, those without a label included: at least the sum of Labels, and never left out. (Fewer
	// rows than were drawn would make every label more frequent than it is.)
	N uint64
	// Noise is what the rows were drawn with. Sample sets it, and statements from the counts then take off alpha and radius
	// what the noise costs, as those of a run do: keep it with counts that are saved. Without it the request says what to
	// take off: see Model.NoiseCost.
	Noise RowNoise
	// CutShort says that rows are missing, since a failure, a deadline or a cancelled context came first: the Counts of a
	// PartialError. Which rows came back first may depend on what they were, so such counts certify and predict nothing.
	CutShort bool
}

// CountsRequest is what is asked of counts. Label, K, Sigma and Alpha are needed, as far as the question uses them:
// CertifyCounts uses every field, GuaranteeCounts all but Label, Bound and Allocation, PredictCounts K, Alpha and MostRows.
type CountsRequest struct {
	// Label is the label to certify, fixed before looking at these counts.
	Label int
	// K is the k of top-k.
	K int
	// Sigma is the standard deviation of the noise that the rows were drawn with; that of Counts.Noise if 0. One that
	// contradicts Counts.Noise is refused.
	Sigma float64
	// Alpha is the probability that the answer is false. What Counts.Noise costs is taken off it; for counts that came with
	// Evidence, and have no Noise, it is the AlphaLeft of that.
	Alpha float64
	// Bound is how label probabilities are bounded; Ranked if not set.
	Bound Bound
	// Allocation is how alpha is spent on the bounds, for what Bound cannot say; where it is given, Bound does not count. It
	// must have been fixed before the rows were drawn.
	Allocation Allocation
	// Validity says whether the number of rows was fixed beforehand; ValidityFixed if empty. Counts that a Rule ended take
	// ValidityAnytime, and those that RuleSteps ended ValidityAnytimeTo the N of its Request.
	Validity Validity
	// RadiusSlack is taken off the radius: what rounding to a grid can add to a perturbation. Of it and that of Counts.Noise
	// the larger counts.
	RadiusSlack float64
	// MostRows is the most rows that there might have been, those that chose the labels included: exact noise costs alpha by
	// the row. If 0, the rows there are, or the last of ValidityAnytimeTo. ValidityAnytime needs it with exact noise.
	MostRows uint64
}

// CertifyCounts certifies a label from counts, without a model.
func (l *Library) CertifyCounts(counts Counts, request CountsRequest) (Certificate, error) {
	if request.Label < 0 {
		return Certificate{}, invalid(ErrInvalidArgument, "label", "must not be negative")
	}
	if request.K < 0 {
		return Certificate{}, invalid(ErrInvalidArgument, "k", "must not be negative")
	}
	allocation, err := cText("allocation", string(request.allocation()))
	if err != nil {
		return Certificate{}, err
	}
	validity, err := cText("validity", string(request.Validity))
	if err != nil {
		return Certificate{}, err
	}
	sigma, alpha, slack, err := counts.cost(&request, 0)
	if err != nil {
		return Certificate{}, err
	}
	native, err := l.giveCounts(counts)
	if err != nil {
		return Certificate{}, err
	}
	defer C.shim_counts_free(l.api(), native)
	var summary C.stk_summary
	label, k := C.size_t(request.Label), C.size_t(request.K)
	var out C.shim_out
	if request.Allocation == "" && request.Validity == "" {
		out = C.shim_counts_certify(l.api(), native, label, k, C.double(sigma), C.double(alpha), C.stk_bound(request.Bound),
			C.double(slack), &summary)
	} else {
		out = C.shim_counts_certify_with(l.api(), native, label, k, C.double(sigma), C.double(alpha),
			unsafe.SliceData(allocation), unsafe.SliceData(validity), C.double(slack), &summary)
	}
	if err := l.checked(out); err != nil {
		return Certificate{}, err
	}
	found := certificate(&summary)
	found.Allocation = request.allocation()
	return found, nil
}

// allocation is what is spent, as a Bound can say too.
func (r *CountsRequest) allocation() Allocation {
	if r.Allocation != "" {
		return r.Allocation
	}
	return Allocation(r.Bound.String())
}

// PredictCounts finds the top k of counts, or abstains, without a model.
func (l *Library) PredictCounts(counts Counts, request CountsRequest) (Prediction, error) {
	if request.K < 0 {
		return Prediction{}, invalid(ErrInvalidArgument, "k", "must not be negative")
	}
	// Neither a sigma nor validity are asked for here.
	_, alpha, _, err := counts.cost(&CountsRequest{Alpha: request.Alpha, MostRows: request.MostRows}, 0)
	if err != nil {
		return Prediction{}, err
	}
	native, err := l.giveCounts(counts)
	if err != nil {
		return Prediction{}, err
	}
	defer C.shim_counts_free(l.api(), native)
	var summary C.stk_summary
	// No valid k is above the number of labels; for the others the library writes nothing.
	labels := make([]int64, min(request.K, len(counts.Labels))+1)
	err = l.checked(C.shim_counts_predict(l.api(), native, C.size_t(request.K), C.double(alpha),
		(*C.int64_t)(&labels[0]), &summary))
	if err != nil {
		return Prediction{}, err
	}
	return prediction(&summary, labels[:request.K]), nil
}

// AddCounts adds counts of disjoint rows of the same input, noise and model. Counts whose Noise differs are refused; the sum has
// the Noise of the one that says it.
func (l *Library) AddCounts(a, b Counts) (Counts, error) {
	noise, err := noiseOf(a, b)
	if err != nil {
		return Counts{}, err
	}
	cutShort := a.CutShort || b.CutShort
	a.CutShort, b.CutShort = false, false
	sum, err := l.giveCounts(a)
	if err != nil {
		return Counts{}, err
	}
	defer C.shim_counts_free(l.api(), sum)
	other, err := l.giveCounts(b)
	if err != nil {
		return Counts{}, err
	}
	defer C.shim_counts_free(l.api(), other)
	if err := l.checked(C.shim_counts_add(l.api(), sum, other)); err != nil {
		return Counts{}, err
	}
	both, err := l.readCounts(sum, noise)
	both.CutShort = cutShort
	return both, err
}

func (l *Library) giveCounts(counts Counts) (*C.stk_counts, error) {
	if counts.CutShort {
		return nil, invalid(ErrInvalidData, "counts", "were cut short by a failure, a deadline or a cancel, and which rows "+
			"came back first may depend on what they were: they certify and predict nothing")
	}
	// The library takes 0 for the sum of the counts, which has no rows without a label.
	if counts.N == 0 && slices.ContainsFunc(counts.Labels, func(rows uint64) bool { return rows > 0 }) {
		return nil, invalid(ErrInvalidArgument, "n", "must be the number of rows, those without a label included; got 0")
	}
	out := C.shim_counts_new(l.api(), (*C.uint64_t)(unsafe.SliceData(counts.Labels)), C.size_t(len(counts.Labels)),
		C.uint64_t(counts.N))
	return (*C.stk_counts)(out.value), l.checked(out)
}

func (l *Library) readCounts(native *C.stk_counts, noise RowNoise) (Counts, error) {
	labels, err := array[uint64](l, C.shim_counts_labels(l.api(), native))
	return Counts{Labels: labels, N: uint64(C.shim_counts_n(l.api(), native)), Noise: noise}, err
}

// takeCounts copies native counts and frees them.
func (l *Library) takeCounts(native *C.stk_counts, noise RowNoise) (*Counts, error) {
	defer C.shim_counts_free(l.api(), native)
	counts, err := l.readCounts(native, noise)
	return &counts, err
}
