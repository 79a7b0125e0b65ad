package smoothtopk

import (
	"context"
	"errors"
	"testing"
)

func TestSpendings(t *testing.T) {
	if text := SpendingPooled(0.5, 1, 2); text != "pooled:0.5:1,2" {
		t.Error(text)
	}
	if text := SpendingPooled(1e-5); text != "pooled:1e-05" {
		t.Error(text)
	}
	m := model(t, "linear.onnx")
	ctx, x := context.Background(), fill(16, 0)
	for _, test := range []struct {
		spending Spending
		bound    Bound
	}{
		{"", Ranked}, {"ranked", Ranked}, {"simuem", SimuEM}, {"binocp", BinoCP}, {SpendingRanked(0.25), OtherBound},
		{SpendingPooled(0.75), OtherBound}, {SpendingPooled(0.5, 0), OtherBound}, {SpendingAuto, -1}, {"", SimuEM},
		{"", Auto},
	} {
		request := Request{Sigma: 0.25, K: []int{2}, N: 3000, Spending: test.spending, Seed: Seed(1), Labels: []int{1}}
		if test.spending == "" {
			request.Bound = test.bound
		}
		results, err := m.Certify(ctx, request, x)
		if err != nil {
			t.Errorf("%q, %v: %v", test.spending, test.bound, err)
			continue
		}
		r, c := results[0], results[0].Certificates[0]
		auto := test.spending == SpendingAuto || test.bound == Auto
		if c.Spending == "" || c.Spending == SpendingAuto || !auto && c.Bound != test.bound || auto != (r.Selection != nil) ||
			test.spending != "" && !auto && c.Spending != test.spending {
			t.Errorf("%q, %v: %+v", test.spending, test.bound, c)
		}
		again, err := library(t).CertifyCounts(Counts{Labels: r.Counts, N: r.N}, CountsRequest{Label: 1, K: 2, Sigma: 0.25,
			Alpha: r.AlphaLeft, Spending: c.Spending, RadiusSlack: c.RadiusSlack})
		if err != nil || again.Radius != c.Radius || again.Spending != c.Spending || again.Bound != c.Bound {
			t.Errorf("%q: %+v, again %+v, %v", c.Spending, c, again, err)
		}
	}
}

func TestSpendingsThatAreRefused(t *testing.T) {
	m := model(t, "linear.onnx")
	counts := drawn(3, 7, 990)
	for _, spending := range []Spending{"all", SpendingRanked(0), SpendingRanked(1), "pooled", "pooled:0.5:x", "ranked\x00"} {
		var typed *Error
		_, err := m.Certify(context.Background(), Request{Sigma: 0.25, N: 10, Spending: spending}, fill(16, 0))
		if !errors.As(err, &typed) || typed.Status != ErrInvalidArgument || typed.Field != "spending" {
			t.Errorf("%q: %v", spending, err)
		}
		_, err = library(t).CertifyCounts(counts, CountsRequest{Label: 2, K: 1, Sigma: 0.25, Alpha: 0.001, Spending: spending})
		if !errors.Is(err, ErrInvalidArgument) {
			t.Errorf("counts, %q: %v", spending, err)
		}
	}
	for _, bound := range []Bound{Auto, OtherBound, -1} {
		ask := CountsRequest{Label: 2, K: 1, Sigma: 0.25, Alpha: 0.001, Bound: bound}
		var typed *Error
		if _, err := library(t).CertifyCounts(counts, ask); !errors.As(err, &typed) || typed.Field != "bound" {
			t.Errorf("counts by %v: %v", bound, err)
		}
	}
}

func TestSpendingCountsAndNotBound(t *testing.T) {
	c, err := library(t).CertifyCounts(drawn(3, 7, 990),
		CountsRequest{Label: 2, K: 1, Sigma: 0.25, Alpha: 0.001, Spending: "binocp", Bound: SimuEM})
	if err != nil || c.Bound != BinoCP || c.Spending != "binocp" {
		t.Errorf("of counts: %+v, %v", c, err)
	}
	results, err := model(t, "linear.onnx").Certify(context.Background(),
		Request{Sigma: 0.25, N: 100, Spending: "binocp", Bound: SimuEM}, fill(16, 0))
	if err != nil || results[0].Certificates[0].Bound != BinoCP || results[0].Certificates[0].Spending != "binocp" {
		t.Errorf("%+v, %v", results, err)
	}
}

// Bounds for all looks cost some of the radius, a uniform number gains some.
func TestIntervals(t *testing.T) {
	radius := func(intervals Intervals) float64 {
		c, err := library(t).CertifyCounts(drawn(3, 7, 990),
			CountsRequest{Label: 2, K: 1, Sigma: 0.25, Alpha: 0.001, Intervals: intervals})
		if err != nil {
			t.Fatal(err)
		}
		return c.Radius
	}
	fixed := radius("")
	if radius(IntervalsFixed) != fixed || radius(IntervalsAnytime) >= fixed || radius(IntervalsRandomized(0.5)) <= fixed {
		t.Errorf("fixed %v, anytime %v, randomized %v", fixed, radius(IntervalsAnytime), radius(IntervalsRandomized(0.5)))
	}
	for _, intervals := range []Intervals{"some", IntervalsRandomized(0), IntervalsRandomized(-1), "fixed\x00"} {
		_, err := library(t).CertifyCounts(drawn(3, 7, 990),
			CountsRequest{Label: 2, K: 1, Sigma: 0.25, Alpha: 0.001, Intervals: intervals})
		var typed *Error
		if !errors.As(err, &typed) || typed.Field != "intervals" {
			t.Errorf("%q: %v", intervals, err)
		}
	}
}

func TestBoundNames(t *testing.T) {
	for bound, name := range boundNames {
		parsed, err := ParseBound(name)
		if bound == OtherBound {
			if err == nil {
				t.Errorf("%s was parsed", name)
			}
		} else if err != nil || parsed != bound {
			t.Errorf("%s: %v, %v", name, parsed, err)
		}
	}
}
