package smoothtopk

import "strconv"

// Allocation is how alpha is split between the bounds of a certificate. It is the library's text, which the library
// checks when it is used; empty means Ranked. An allocation must not come from the samples that it is applied to.
type Allocation string

const (
	// Ranked bounds a label that was fixed beforehand against its k strongest rivals; the default.
	Ranked Allocation = "ranked"
	// SimuEM bounds all labels at once, the method of Jia et al. (ICLR 2020).
	SimuEM Allocation = "simuem"
	// BinoCP bounds the label alone, and gives its rivals all that is left.
	BinoCP Allocation = "binocp"
	// Auto lets the N0 selection samples choose, for the largest radius that is to be expected. Not for counts alone.
	Auto Allocation = "auto"
)

// RankedShare is Ranked with a share of alpha, between 0 and 1, for the label, and the rest for its rivals.
func RankedShare(share float64) Allocation { return Allocation("ranked:" + decimal(share)) }

// PooledShare gives a share of alpha, between 0 and 1, to the label, and the rest to one bound of the sum of all its
// rivals but those left out: labels in ascending order, fewer than k.
func PooledShare(share float64, leftOut ...int) Allocation {
	text, separator := "pooled:"+decimal(share), ":"
	for _, label := range leftOut {
		text, separator = text+separator+strconv.Itoa(label), ","
	}
	return Allocation(text)
}
