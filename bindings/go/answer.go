package smoothtopk

import (
	"encoding/json"
	"math"
)

// The fields of these types are those of the library's records (docs/record.md), by their names in JSON: a field that
// is added there needs one line here, and one in statement.go where counts alone have it too.

// Certificate says within which radius a label stays among the smoothed classifier's top k.
type Certificate struct {
	// K is the k of this statement.
	K int `json:"k"`
	// Label is the label certified.
	Label int `json:"label"`
	// Certified tells whether there is a certificate: Radius is above 0.
	Certified bool `json:"certified"`
	// Radius is the certified radius, in the norm of the noise and the units of the input; 0 without a certificate.
	Radius float64 `json:"radius"`
	// PLower is the lower confidence bound of the label's probability.
	PLower float64 `json:"p_lower"`
	// PUpper is the upper confidence bound of the summed probability of the rivals that limit the radius.
	PUpper float64 `json:"p_upper"`
	// Allocation is how alpha was split between the two, as Query takes it; Auto was replaced by what it chose.
	Allocation Allocation `json:"allocation"`
	// Validity says which bounds were used.
	Validity Validity `json:"validity"`
	// AlphaLeft is what the distance of exact noise from its ideal left of alpha for the bounds. It is taken already.
	AlphaLeft float64 `json:"alpha_left"`
	// RadiusCost is what rounding took off the radius. It is taken already.
	RadiusCost float64 `json:"radius_cost"`
	// N is the number of samples that the certificate rests on: those of Evidence.Counts, or fewer, where one of
	// several k had a larger radius at an earlier look.
	N uint64 `json:"n"`
	// Decision is what the rule decided.
	Decision Decision `json:"decision"`
	// Assumed tells that it rests on what the caller stated of bare numbers.
	Assumed bool `json:"-"`
	// Counts are the samples that it rests on.
	Counts *Counts `json:"-"`
}

// Prediction is the smoothed classifier's top k, or an abstention.
type Prediction struct {
	// K is the k of this statement.
	K int `json:"k"`
	// Abstain tells that the counts do not settle the top k at alpha. Labels is then no prediction.
	Abstain bool `json:"abstain"`
	// Labels are the k labels with the largest counts, descending, also when abstaining.
	Labels []int `json:"labels"`
	// PValue is that of the test between the k-th and the next label; under a rule one that holds at all looks at once.
	PValue float64 `json:"p_value"`
	// Decision is what the rule decided.
	Decision Decision `json:"decision"`
}

// Guarantee is what holds around an input for the k labels that are returned for it. LabelRadii together, and every
// other radius alone, are a statement at alpha of their own: several that are read together are all true with
// probability at least 1 minus the sum of their alphas. A radius of 0 says nothing.
type Guarantee struct {
	// K is the number of labels.
	K int `json:"k"`
	// Labels are the labels, the likeliest first.
	Labels []int `json:"labels"`
	// LabelRadii are the radii within which each label, in the order of Labels, stays in the top k: one statement for
	// all.
	LabelRadii []float64 `json:"label_radii"`
	// SetRadius is the radius within which the set of the labels does not change.
	SetRadius float64 `json:"set_radius"`
	// KeptRadii has at index e-1 the radius within which at least e of the labels stay in the top k: math.Inf(1) where
	// so many stay under any perturbation, because too few labels are outside.
	KeptRadii Radii `json:"kept_radii"`
	// FirstRadius is the radius within which the first label stays the likeliest.
	FirstRadius float64 `json:"first_radius"`
	// RankingRadius is the radius within which the labels stay the likeliest, in their order.
	RankingRadius float64 `json:"ranking_radius"`
	// Validity says which bounds were used.
	Validity Validity `json:"validity"`
	// AlphaLeft is what the distance of exact noise from its ideal left of alpha for the bounds. It is taken already.
	AlphaLeft float64 `json:"alpha_left"`
	// RadiusCost is what rounding took off every radius. It is taken already.
	RadiusCost float64 `json:"radius_cost"`
	// N is the number of samples that certify: those of Evidence.Counts, or fewer, where one of several k had a larger
	// SetRadius at an earlier look.
	N uint64 `json:"n"`
	// Decision is what the rule decided of SetRadius.
	Decision Decision `json:"decision"`
	// Assumed tells that it rests on what the caller stated of bare numbers.
	Assumed bool `json:"-"`
	// Counts are the samples that certify.
	Counts *Counts `json:"-"`
}

// Certification is Certify's answer about one input.
type Certification struct {
	Evidence
	// Certificates has one entry for each k of the request; none where there is no answer.
	Certificates []Certificate
}

// PredictionSet is Predict's answer about one input.
type PredictionSet struct {
	Evidence
	// Predictions has one entry for each k of the request; none where there is no answer.
	Predictions []Prediction
}

// CertifiedAnswer is CertifyAnswer's answer about one input.
type CertifiedAnswer struct {
	Evidence
	// Guarantees has one entry for each k of the request; none where there is no answer.
	Guarantees []Guarantee
}

// Radii are radii that may be infinite, which JSON has as null.
type Radii []float64

// UnmarshalJSON reads null as infinity.
func (r *Radii) UnmarshalJSON(text []byte) error {
	var list []*float64
	if err := json.Unmarshal(text, &list); err != nil {
		return err
	}
	*r = make(Radii, len(list))
	for i, radius := range list {
		if (*r)[i] = math.Inf(1); radius != nil {
			(*r)[i] = *radius
		}
	}
	return nil
}

// MarshalJSON writes infinity as null.
func (r Radii) MarshalJSON() ([]byte, error) {
	list := make([]*float64, len(r))
	for i := range r {
		if !math.IsInf(r[i], 1) {
			list[i] = &r[i]
		}
	}
	return json.Marshal(list)
}
