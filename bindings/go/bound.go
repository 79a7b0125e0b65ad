package smoothtopk

// #include "shim.h"
import "C"

import (
	"fmt"
	"strconv"
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
	// Auto has the N0 selection rows choose, for the largest radius that is to be expected. Only in requests to a model.
	Auto Bound = C.STK_BOUND_AUTO
	// OtherBound is none of the others: Certificate.Allocation tells. Only in results.
	OtherBound Bound = C.STK_BOUND_ALLOCATION
)

var boundNames = map[Bound]string{Ranked: "ranked", SimuEM: "simuem", BinoCP: "binocp", Auto: "auto", OtherBound: "other"}

// String is the bound's name: ranked, simuem, binocp, auto or other.
func (b Bound) String() string {
	if name, known := boundNames[b]; known {
		return name
	}
	return fmt.Sprintf("Bound(%d)", int32(b))
}

// ParseBound reads ranked, simuem, binocp or auto.
func ParseBound(name string) (Bound, error) {
	for bound, known := range boundNames {
		if name == known && bound != OtherBound {
			return bound, nil
		}
	}
	return 0, invalid(ErrInvalidArgument, "bound", fmt.Sprintf("must be ranked, simuem, binocp or auto, got %q", name))
}

// Allocation is how alpha is spent on the bounds of a certificate: all that Bound says, and more. It is the library's text,
// which the library checks when it is used; empty means what Bound says. A allocation must not come from the rows that it
// is applied to.
type Allocation string

// AllocationAuto has the N0 selection rows choose, for the largest radius that is to be expected; not for counts alone.
const AllocationAuto Allocation = "auto"

// AllocationRanked is Ranked with a share of alpha, between 0 and 1, for the label, and the rest for its rivals.
func AllocationRanked(share float64) Allocation { return Allocation("ranked:" + decimal(share)) }

// AllocationPooled gives a share of alpha, between 0 and 1, to the label, and the rest to one bound of the sum of all its
// rivals but those left out: labels in ascending order, fewer than k.
func AllocationPooled(share float64, leftOut ...int) Allocation {
	text, separator := "pooled:"+decimal(share), ":"
	for _, label := range leftOut {
		text, separator = text+separator+strconv.Itoa(label), ","
	}
	return Allocation(text)
}

// Validity is the kind of bounds that a certificate from counts takes. It is the library's text, which the library
// checks when it is used; empty means ValidityFixed.
type Validity string

const (
	// ValidityFixed is for a number of rows that was fixed beforehand.
	ValidityFixed Validity = "fixed"
	// ValidityAnytime has the certificates of all looks at growing counts true at once, so that any may be taken,
	// whatever made the rows end.
	ValidityAnytime Validity = "anytime"
)

// ValidityAnytimeTo is as ValidityAnytime for a number of rows that is at most last, which was fixed beforehand; half of
// alpha is for the last row alone. RuleSteps takes it, with the N of its Request.
func ValidityAnytimeTo(last uint64) Validity {
	return Validity("anytime:" + strconv.FormatUint(last, 10))
}

// ValidityRandomized is as ValidityFixed, a little larger on average, by a uniform number above 0 and at most 1 that was
// drawn independently of the rows, and once.
func ValidityRandomized(uniform float64) Validity {
	return Validity("randomized:" + decimal(uniform))
}

// decimal is the shortest text that is read as the same number.
func decimal(value float64) string { return strconv.FormatFloat(value, 'g', -1, 64) }

// cText is text with the NUL that C wants, in Go's memory; nil, the library's default, for an empty one.
func cText(field, text string) ([]C.char, error) {
	if text == "" {
		return nil, nil
	}
	if err := wholeText(field, text); err != nil {
		return nil, err
	}
	chars := make([]C.char, len(text)+1)
	for i := range len(text) {
		chars[i] = C.char(text[i])
	}
	return chars, nil
}
