package smoothtopk

// #include "shim.h"
import "C"

import (
	"fmt"
	"math"
	"strings"
)

// RowNoise is the noise that rows were drawn with, as far as statements from their counts need it. Its zero value says
// nothing: the caller then gives what is needed.
type RowNoise struct {
	// Sigma is the noise's standard deviation.
	Sigma float64
	// RadiusSlack is what rounding the input to the noise's grid takes off every radius; 0 with exact noise.
	RadiusSlack float64
	// RowAlpha is what each row takes off alpha; 0 but for exact noise.
	RowAlpha float64
}

// NoiseCost is what a statement from counts must allow for the noise, where the counts do not say it.
type NoiseCost struct {
	// AlphaLeft is what is left of the request's Alpha for the bounds: all of it, but for exact noise.
	AlphaLeft float64
	// RadiusSlack is what must be taken off the radius; 0 with exact noise.
	RadiusSlack float64
}

// NoiseCost tells what a statement from counts drawn as the request says must allow for the noise, for counts that were kept
// without their Noise. Rows are the most that the statement may come to rest on, those that select a label included. The
// request's Sigma, Alpha, InputMax and ExactLevels are used. The error is also for noise that would take more than half of Alpha.
func (m *Model) NoiseCost(request Request, rows uint64) (NoiseCost, error) {
	if err := m.acquire(); err != nil {
		return NoiseCost{}, err
	}
	defer m.release()
	native, err := request.native()
	if err != nil {
		return NoiseCost{}, err
	}
	return m.noiseCost(&native.numbers, rows)
}

func (m *Model) noiseCost(numbers *C.shim_request, rows uint64) (NoiseCost, error) {
	var left, slack C.double
	err := m.lib.checked(C.shim_noise_cost(m.lib.api(), m.native, numbers, C.uint64_t(rows), &left, &slack))
	return NoiseCost{float64(left), float64(slack)}, err
}

const leastAlpha, largestAlpha = 1e-100, 0.5

// rowNoise is what counts drawn as the numbers say carry. The library tells what one row leaves of an alpha, and no more.
func (m *Model) rowNoise(numbers C.shim_request) (RowNoise, error) {
	numbers.set |= C.SHIM_SET_ALPHA
	ask := func(alpha float64) (NoiseCost, error) {
		numbers.alpha = C.double(alpha)
		return m.noiseCost(&numbers, 1)
	}
	alpha := largestAlpha
	cost, err := ask(alpha)
	noise := RowNoise{Sigma: float64(numbers.sigma), RadiusSlack: cost.RadiusSlack}
	if err != nil || cost.AlphaLeft == alpha {
		return noise, err
	}
	// Just above twice what is paid, the difference has no rounding; at a larger alpha it is too large.
	for {
		closer := max(leastAlpha, 2*(alpha-cost.AlphaLeft)*(1+0x1p-20))
		if closer >= alpha*(1-0x1p-20) {
			break
		}
		alpha = closer
		if cost, err = ask(alpha); err != nil {
			return RowNoise{}, err
		}
	}
	paid := alpha - math.Nextafter(cost.AlphaLeft, math.Inf(1))
	// The least that pays as much: from four steps below, since the library rounds up by fewer.
	noise.RowAlpha = paid
	for range 4 {
		noise.RowAlpha = math.Nextafter(noise.RowAlpha, 0)
	}
	for timesUp(1, noise.RowAlpha) < paid {
		noise.RowAlpha = math.Nextafter(noise.RowAlpha, 1)
	}
	return noise, nil
}

// alphaLeft is what so many rows leave of alpha: the library's value, to the last bit.
func alphaLeft(alpha float64, rows uint64, rowAlpha float64) (float64, error) {
	if !(rowAlpha >= 0) {
		return 0, invalid(ErrInvalidArgument, "row_alpha", fmt.Sprintf("must be at least 0, got %v", rowAlpha))
	}
	paid := timesUp(rows, rowAlpha)
	// An alpha that is out of range is the library's to refuse.
	if paid == 0 || !(alpha >= leastAlpha && alpha <= largestAlpha) {
		return alpha, nil
	}
	left := math.Nextafter(alpha-paid, math.Inf(-1))
	if left < 0.5*alpha {
		return 0, invalid(ErrInvalidArgument, "alpha", fmt.Sprintf("%g is too small for %d rows: the noise's distance from "+
			"an exact Gaussian alone comes to %g; rest the statement on fewer rows, or take a larger alpha", alpha, rows, paid))
	}
	return left, nil
}

// timesUp is the product, rounded up as the library does.
func timesUp(rows uint64, each float64) float64 {
	if each == 0 {
		return 0
	}
	// The conversion keeps it from being fused with what follows.
	return math.Nextafter(float64(math.Nextafter(float64(rows), math.Inf(1))*each), math.Inf(1))
}

// cost is the sigma, the alpha and the slack of a statement from these counts and so many rows beside them.
func (c *Counts) cost(request *CountsRequest, others uint64) (sigma, alpha, slack float64, err error) {
	sigma, slack = request.Sigma, request.RadiusSlack
	switch known := c.Noise.Sigma; {
	case known == 0 || sigma == known:
	case sigma == 0:
		sigma = known
	default:
		return 0, 0, 0, invalid(ErrInvalidArgument, "sigma",
			fmt.Sprintf("is %v, and the rows were drawn with %v: leave it out", sigma, known))
	}
	// What is no slack is the library's to refuse.
	if own := c.Noise.RadiusSlack; slack >= 0 && !(slack >= own) {
		slack = own
	}
	rows := c.N + others
	most := max(rows, request.MostRows)
	switch {
	case request.MostRows != 0 && request.MostRows < rows:
		return 0, 0, 0, invalid(ErrInvalidArgument, "most_rows",
			fmt.Sprintf("is %d, and there are %d rows", request.MostRows, rows))
	case c.Noise.RowAlpha == 0 || request.MostRows != 0:
	case request.Validity == ValidityAnytime:
		return 0, 0, 0, invalid(ErrInvalidArgument, "most_rows", "must be given: exact noise costs alpha by the row, and the "+
			"rows of these validity were not fixed beforehand")
	default:
		if last, given := strings.CutPrefix(string(request.Validity), string(ValidityAnytime)+":"); given {
			// What is no number is the library's to refuse.
			var number uint64
			_, _ = fmt.Sscan(last, &number)
			most = max(most, number)
		}
	}
	alpha, err = alphaLeft(request.Alpha, most, c.Noise.RowAlpha)
	return sigma, alpha, slack, err
}

// noiseOf is the noise of both counts: that of the one that says it, where the other does not.
func noiseOf(a, b Counts) (RowNoise, error) {
	var unknown RowNoise
	switch {
	case a.Noise == b.Noise || b.Noise == unknown:
		return a.Noise, nil
	case a.Noise == unknown:
		return b.Noise, nil
	}
	return unknown, invalid(ErrInvalidData, "counts",
		fmt.Sprintf("are of other noise: %+v, not %+v; add rows that were drawn as one request says", b.Noise, a.Noise))
}
