package smoothtopk

// #include "shim.h"
import "C"

import (
	"fmt"
	"unsafe"
)

// Guarantee is what holds around an input for the k labels that are returned for it. LabelRadii together, and every other
// radius alone, are a statement at Alpha of their own: several that are read together are all true with probability at
// least 1 minus the sum of their alphas. A radius of 0 says nothing.
type Guarantee struct {
	// K is the number of labels.
	K int
	// Labels are the labels, the likeliest first; none where the input has no answer.
	Labels []int
	// LabelRadii are the l2 radii within which each label, in the order of Labels, stays in the top k: one statement for
	// all of them.
	LabelRadii []float64
	// SetRadius is the l2 radius within which the set of the labels does not change.
	SetRadius float64
	// KeptRadii has at index e-1 the l2 radius within which at least e of the labels stay in the top k: math.Inf(1) where
	// so many stay whatever happens, because too few labels are outside. (encoding/json writes no infinities; the
	// library's own JSON has null.)
	KeptRadii []float64
	// FirstRadius is the l2 radius within which the first label stays the likeliest.
	FirstRadius float64
	// RankingRadius is the l2 radius within which the labels stay the likeliest, in their order.
	RankingRadius float64
	// N is how many rows certify: fewer than Evidence.N where one of several k had a larger SetRadius at an earlier look.
	N uint64
	// N0 is how many rows of their own chose the labels, 0 where the N rows did.
	N0 uint64
	// Sigma is the standard deviation of the noise.
	Sigma float64
	// Alpha is the probability that a statement is false.
	Alpha float64
	// RadiusSlack is what rounding the input to the grid took off every radius.
	RadiusSlack float64
	// Decision is what the rule decided of SetRadius; DecisionNone in what GuaranteeCounts finds.
	Decision Decision
	// Validity is the kind of bounds, as GuaranteeCounts takes it. Empty where the input has no answer, and in what
	// GuaranteeCounts finds.
	Validity Validity
}

// CertifiedAnswer is CertifyAnswer's answer about one input.
type CertifiedAnswer struct {
	Evidence
	// Guarantees has one entry for each k of the request.
	Guarantees []Guarantee
}

func guarantee(g *C.stk_guarantee, labels []int64, labelRadii, keptRadii []float64) Guarantee {
	return Guarantee{
		K: int(g.k), Labels: ints(labels), LabelRadii: labelRadii, SetRadius: float64(g.set_radius), KeptRadii: keptRadii,
		FirstRadius: float64(g.first_radius), RankingRadius: float64(g.ranking_radius), N: uint64(g.n), N0: uint64(g.n0),
		Sigma: float64(g.sigma), Alpha: float64(g.alpha), RadiusSlack: float64(g.radius_slack),
	}
}

func (r *result) answers() ([]CertifiedAnswer, error) {
	var list []CertifiedAnswer
	err := r.entries(func(evidence Evidence, summaries []C.stk_summary, input C.size_t) error {
		guarantees := make([]Guarantee, len(summaries))
		for i := range summaries {
			var err error
			if guarantees[i], err = r.guarantee(input, C.size_t(i)); err != nil {
				return err
			}
			guarantees[i].Decision = Decision(summaries[i].decision)
			if guarantees[i].Validity, err = r.validity(input, C.size_t(i)); err != nil {
				return err
			}
		}
		list = append(list, CertifiedAnswer{evidence, guarantees})
		return nil
	})
	return list, err
}

func (r *result) guarantee(input, k C.size_t) (Guarantee, error) {
	var native C.stk_guarantee
	if err := r.lib.checked(C.shim_result_guarantee(r.lib.api(), r.native, input, k, &native)); err != nil {
		return Guarantee{}, err
	}
	labels, err := array[int64](r.lib, C.shim_result_labels(r.lib.api(), r.native, input, k))
	if err != nil {
		return Guarantee{}, err
	}
	labelRadii, err := array[float64](r.lib, C.shim_result_label_radii(r.lib.api(), r.native, input, k))
	if err != nil {
		return Guarantee{}, err
	}
	keptRadii, err := array[float64](r.lib, C.shim_result_kept_radii(r.lib.api(), r.native, input, k))
	return guarantee(&native, labels, labelRadii, keptRadii), err
}

// GuaranteeCounts finds the guarantees for the K labels that are returned, without a model, from counts of a number of rows
// that was fixed beforehand or, with ValidityAnytime, that a Rule ended. pilot are counts of other rows of the same input,
// which choose the labels; with nil the very counts choose them, which is paid for out of Alpha, and what that takes is not
// certified with ValidityAnytime.
func (l *Library) GuaranteeCounts(counts Counts, pilot *Counts, request CountsRequest) (Guarantee, error) {
	if request.K < 0 {
		return Guarantee{}, invalid(ErrInvalidArgument, "k", "must not be negative")
	}
	var chose uint64
	if pilot != nil {
		chose = pilot.N
	}
	sigma, alpha, slack, err := counts.cost(&request, chose)
	if err != nil {
		return Guarantee{}, err
	}
	native, err := l.giveCounts(counts)
	if err != nil {
		return Guarantee{}, err
	}
	defer C.shim_counts_free(l.api(), native)
	var nativePilot *C.stk_counts
	if pilot != nil {
		// The library sees copies, and could not tell.
		if data := unsafe.SliceData(pilot.Labels); data != nil && data == unsafe.SliceData(counts.Labels) {
			return Guarantee{}, invalid(ErrInvalidArgument, "pilot", "is the counts themselves: give those of other rows, or nil")
		}
		if known := pilot.Noise.Sigma; known != 0 && known != sigma {
			return Guarantee{}, invalid(ErrInvalidArgument, "pilot",
				fmt.Sprintf("is of noise with sigma %v, not %v: give other rows", known, sigma))
		}
		if nativePilot, err = l.giveCounts(*pilot); err != nil {
			return Guarantee{}, err
		}
		defer C.shim_counts_free(l.api(), nativePilot)
	}
	validity, err := cText("validity", string(request.Validity))
	if err != nil {
		return Guarantee{}, err
	}
	// No valid k is above the number of labels; for the others the library writes nothing.
	room := min(request.K, len(counts.Labels)) + 1
	labels, labelRadii, keptRadii := make([]int64, room), make([]float64, room), make([]float64, room)
	var found C.stk_guarantee
	err = l.checked(C.shim_counts_guarantee(l.api(), native, nativePilot, C.size_t(request.K), C.double(sigma),
		C.double(alpha), unsafe.SliceData(validity), C.double(slack), (*C.int64_t)(&labels[0]),
		(*C.double)(&labelRadii[0]), (*C.double)(&keptRadii[0]), &found))
	if err != nil {
		return Guarantee{}, err
	}
	k := request.K
	g := guarantee(&found, labels[:k], labelRadii[:k], keptRadii[:k])
	g.Alpha = request.Alpha
	return g, nil
}
