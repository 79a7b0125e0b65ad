package smoothtopk

// #include "shim.h"
import "C"

import (
	"strconv"
	"strings"
)

// Validity says for which samples the bounds of a statement hold. It is the library's text.
type Validity string

const (
	// ValidityFixed is for a number of samples that was fixed before they were drawn.
	ValidityFixed Validity = "fixed"
	// ValidityAnytime holds at all looks at growing counts at once, whatever ended the samples.
	ValidityAnytime Validity = "anytime"
	// ValidityExact is of enumerated noise: all samples that there are were classified, and nothing is left to chance.
	ValidityExact Validity = "exact"
)

// ValidityAnytimeTo holds at all looks up to a last number of samples, which was fixed beforehand. In certificates half
// of alpha is for the last number alone.
func ValidityAnytimeTo(last uint64) Validity {
	return Validity("anytime:" + strconv.FormatUint(last, 10))
}

// Uniform is the number that randomized the bounds, which Query.Uniform takes to give the radius again; 0 where none
// did.
func (v Validity) Uniform() float64 {
	text, _ := strings.CutPrefix(string(v), "randomized:")
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0
	}
	return value
}

func validity(kind C.stk_validity, last C.uint64_t, uniform C.double) Validity {
	switch kind {
	case C.STK_VALIDITY_FIXED:
		return ValidityFixed
	case C.STK_VALIDITY_ANYTIME:
		return ValidityAnytime
	case C.STK_VALIDITY_ANYTIME_TO:
		return ValidityAnytimeTo(uint64(last))
	case C.STK_VALIDITY_EXACT:
		return ValidityExact
	case C.STK_VALIDITY_RANDOMIZED:
		return Validity("randomized:" + decimal(float64(uniform)))
	}
	return ""
}
