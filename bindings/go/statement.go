package smoothtopk

// #include "shim.h"
import "C"

import "unsafe"

// Query asks whether a label stays in the top k. Everything in it must have been fixed before the samples were drawn,
// or chosen by other samples. K and Alpha are needed.
type Query struct {
	// Label is the label to certify.
	Label int
	// K is the k of top-k.
	K int
	// Alpha is the probability that the statement is false.
	Alpha float64
	// Allocation is how Alpha is split between the bounds; Ranked if empty.
	Allocation Allocation
	// Randomized takes randomized bounds, for a little larger radii on average. Only for a number of samples that was
	// fixed beforehand.
	Randomized bool
	// Uniform randomizes the bounds, where the samples do not know their seed or key: above 0 and at most 1, drawn
	// independently of the samples, and once. If 0, the number that the seed or key gives.
	Uniform float64
}

// Certify finds the radius within which the label stays among the smoothed classifier's top k. What the noise costs is
// off the radius and off alpha, and the bounds are those that hold for how the samples ended: the certificate says
// which. Samples that were cut short certify nothing, and samples that chose or predicted labels certify none of them.
func (c *Counts) Certify(query Query) (Certificate, error) {
	label, err := size("label", query.Label)
	if err != nil {
		return Certificate{}, err
	}
	k, err := size("k", query.K)
	if err != nil {
		return Certificate{}, err
	}
	allocation, err := cText("allocation", string(query.Allocation))
	if err != nil {
		return Certificate{}, err
	}
	randomized := C.stk_randomized(C.STK_RANDOMIZED_NO)
	if query.Randomized && query.Uniform == 0 {
		randomized = C.STK_RANDOMIZED_FROM_SEED
	} else if query.Randomized {
		randomized = C.STK_RANDOMIZED_BY
	}
	if err := c.use(); err != nil {
		return Certificate{}, err
	}
	defer c.release()
	var s C.stk_summary
	err = c.lib.checked(C.shim_counts_certify(c.lib.api(), c.native, label, k, C.double(query.Alpha), allocation,
		randomized, C.double(query.Uniform), &s))
	if err != nil {
		return Certificate{}, err
	}
	found := Certificate{K: query.K, Label: query.Label, Certified: s.certified != 0, Radius: float64(s.radius),
		PLower: float64(s.p_lower), PUpper: float64(s.p_upper), Allocation: query.Allocation,
		Validity: validity(s.validity, s.validity_last, s.uniform), AlphaLeft: float64(s.alpha_left),
		RadiusCost: float64(s.radius_cost), N: uint64(s.n_certified), Assumed: s.assumed != 0, Decision: DecisionNone, Counts: c}
	if found.Allocation == "" {
		found.Allocation = Ranked
	}
	return found, nil
}

// CertifyLabels finds, for e = 1, 2, .., the radius within which at least e of a set of true labels are among the top k:
// 0 where nothing is certified, infinity where so many labels stay under any perturbation. The labels ascend, and were
// fixed before the samples were drawn. It is the only statement about counts of a multi-label model (WithBaseK).
func (c *Counts) CertifyLabels(labels []int, k int, alpha float64, allocation Allocation) ([]float64, error) {
	of, err := size("k", k)
	if err != nil {
		return nil, err
	}
	split, err := cText("allocation", string(allocation))
	if err != nil {
		return nil, err
	}
	set := make([]C.int64_t, len(labels))
	for i, label := range labels {
		set[i] = C.int64_t(label)
	}
	radii := make([]float64, len(labels))
	if err := c.use(); err != nil {
		return nil, err
	}
	defer c.release()
	err = c.lib.checked(C.shim_counts_certify_labels(c.lib.api(), c.native, unsafe.SliceData(set), C.size_t(len(set)), of,
		C.double(alpha), split, (*C.double)(unsafe.SliceData(radii))))
	if err != nil {
		return nil, err
	}
	return radii[:min(k, len(radii))], nil
}

// Predict finds the smoothed classifier's top k, or abstains. For a number of samples that was fixed beforehand: what a
// rule settled is in the answer of its call.
func (c *Counts) Predict(k int, alpha float64) (Prediction, error) {
	of, err := size("k", k)
	if err != nil {
		return Prediction{}, err
	}
	if err := c.use(); err != nil {
		return Prediction{}, err
	}
	defer c.release()
	var s C.stk_summary
	labels := make([]int64, c.room(k))
	err = c.lib.checked(C.shim_counts_predict(c.lib.api(), c.native, of, C.double(alpha), (*C.int64_t)(&labels[0]), &s))
	if err != nil {
		return Prediction{}, err
	}
	return Prediction{K: k, Abstain: s.abstain != 0, Labels: ints(labels[:k]), PValue: float64(s.p_value),
		Decision: DecisionNone}, nil
}

// Guarantee finds what holds around the input for k labels: those most frequent among the pilot's samples or, where
// pilot is nil, among these very samples, which is paid for out of alpha. The pilot are counts of other samples of the
// same model and input.
func (c *Counts) Guarantee(k int, alpha float64, pilot *Counts) (Guarantee, error) {
	of, err := size("k", k)
	if err != nil {
		return Guarantee{}, err
	}
	var chose *C.stk_counts
	if pilot == c && pilot != nil {
		return Guarantee{}, invalid(ErrInvalidArgument, "pilot", "is the counts themselves: give those of other samples, or nil")
	} else if pilot != nil {
		// A copy: a goroutine that waits to add to one of the two must not hold up the other.
		copied, err := pilot.Clone()
		if err != nil {
			return Guarantee{}, err
		}
		defer copied.Close()
		chose = copied.native
	}
	if err := c.use(); err != nil {
		return Guarantee{}, err
	}
	defer c.release()
	room := c.room(k)
	labels, labelRadii, keptRadii := make([]int64, room), make([]float64, room), make([]float64, room)
	var g C.stk_guarantee
	err = c.lib.checked(C.shim_counts_guarantee(c.lib.api(), c.native, chose, of, C.double(alpha), (*C.int64_t)(&labels[0]),
		(*C.double)(&labelRadii[0]), (*C.double)(&keptRadii[0]), &g))
	if err != nil {
		return Guarantee{}, err
	}
	return Guarantee{K: k, Labels: ints(labels[:k]), LabelRadii: labelRadii[:k], SetRadius: float64(g.set_radius),
		KeptRadii: keptRadii[:k], FirstRadius: float64(g.first_radius), RankingRadius: float64(g.ranking_radius),
		Validity: validity(g.validity, g.validity_last, 0), AlphaLeft: float64(g.alpha_left),
		RadiusCost: float64(g.radius_cost), N: uint64(g.n), Assumed: g.assumed != 0, Decision: DecisionNone, Counts: c}, nil
}

// room is how long arrays for k labels must be: no valid k is above the number of labels, and for others nothing is
// written.
func (c *Counts) room(k int) int { return min(k, len(c.labels)) + 1 }

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
