package smoothtopk

import (
	"context"
	"errors"
	"testing"
)

func TestAllocations(t *testing.T) {
	if text := AllocationPooled(0.5, 1, 2); text != "pooled:0.5:1,2" {
		t.Error(text)
	}
	if text := AllocationPooled(1e-5); text != "pooled:1e-05" {
		t.Error(text)
	}
	m := model(t, "linear.onnx")
	ctx, x := context.Background(), fill(16, 0)
	for _, test := range []struct {
		allocation Allocation
		bound    Bound
	}{
		{"", Ranked}, {"ranked", Ranked}, {"simuem", SimuEM}, {"binocp", BinoCP}, {AllocationRanked(0.25), OtherBound},
		{AllocationPooled(0.75), OtherBound}, {AllocationPooled(0.5, 0), OtherBound}, {AllocationAuto, -1}, {"", SimuEM},
		{"", Auto},
	} {
		request := Request{Sigma: 0.25, K: []int{2}, N: 3000, Allocation: test.allocation, Seed: Seed(1), Labels: []int{1}}
		if test.allocation == "" {
			request.Bound = test.bound
		}
		results, err := m.Certify(ctx, request, x)
		if err != nil {
			t.Errorf("%q, %v: %v", test.allocation, test.bound, err)
			continue
		}
		r, c := results[0], results[0].Certificates[0]
		auto := test.allocation == AllocationAuto || test.bound == Auto
		if c.Allocation == "" || c.Allocation == AllocationAuto || !auto && c.Bound != test.bound || auto != (r.Selection != nil) ||
			test.allocation != "" && !auto && c.Allocation != test.allocation {
			t.Errorf("%q, %v: %+v", test.allocation, test.bound, c)
		}
		again, err := library(t).CertifyCounts(Counts{Labels: r.Counts, N: r.N}, CountsRequest{Label: 1, K: 2, Sigma: 0.25,
			Alpha: r.AlphaLeft, Allocation: c.Allocation, RadiusSlack: c.RadiusSlack})
		if err != nil || again.Radius != c.Radius || again.Allocation != c.Allocation || again.Bound != c.Bound {
			t.Errorf("%q: %+v, again %+v, %v", c.Allocation, c, again, err)
		}
	}
}

func TestAllocationsThatAreRefused(t *testing.T) {
	m := model(t, "linear.onnx")
	counts := drawn(3, 7, 990)
	for _, allocation := range []Allocation{"all", AllocationRanked(0), AllocationRanked(1), "pooled", "pooled:0.5:x", "ranked\x00"} {
		var typed *Error
		_, err := m.Certify(context.Background(), Request{Sigma: 0.25, N: 10, Allocation: allocation}, fill(16, 0))
		if !errors.As(err, &typed) || typed.Status != ErrInvalidArgument || typed.Field != "allocation" {
			t.Errorf("%q: %v", allocation, err)
		}
		_, err = library(t).CertifyCounts(counts, CountsRequest{Label: 2, K: 1, Sigma: 0.25, Alpha: 0.001, Allocation: allocation})
		if !errors.Is(err, ErrInvalidArgument) {
			t.Errorf("counts, %q: %v", allocation, err)
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

func TestAllocationCountsAndNotBound(t *testing.T) {
	c, err := library(t).CertifyCounts(drawn(3, 7, 990),
		CountsRequest{Label: 2, K: 1, Sigma: 0.25, Alpha: 0.001, Allocation: "binocp", Bound: SimuEM})
	if err != nil || c.Bound != BinoCP || c.Allocation != "binocp" {
		t.Errorf("of counts: %+v, %v", c, err)
	}
	results, err := model(t, "linear.onnx").Certify(context.Background(),
		Request{Sigma: 0.25, N: 100, Allocation: "binocp", Bound: SimuEM}, fill(16, 0))
	if err != nil || results[0].Certificates[0].Bound != BinoCP || results[0].Certificates[0].Allocation != "binocp" {
		t.Errorf("%+v, %v", results, err)
	}
}

// Bounds for all looks cost some of the radius, a uniform number gains some.
func TestValidity(t *testing.T) {
	radius := func(validity Validity) float64 {
		c, err := library(t).CertifyCounts(drawn(3, 7, 990),
			CountsRequest{Label: 2, K: 1, Sigma: 0.25, Alpha: 0.001, Validity: validity})
		if err != nil {
			t.Fatal(err)
		}
		return c.Radius
	}
	fixed := radius("")
	if radius(ValidityFixed) != fixed || radius(ValidityAnytime) >= fixed || radius(ValidityRandomized(0.5)) <= fixed {
		t.Errorf("fixed %v, anytime %v, randomized %v", fixed, radius(ValidityAnytime), radius(ValidityRandomized(0.5)))
	}
	for _, validity := range []Validity{"some", ValidityRandomized(0), ValidityRandomized(-1), "fixed\x00"} {
		_, err := library(t).CertifyCounts(drawn(3, 7, 990),
			CountsRequest{Label: 2, K: 1, Sigma: 0.25, Alpha: 0.001, Validity: validity})
		var typed *Error
		if !errors.As(err, &typed) || typed.Field != "validity" {
			t.Errorf("%q: %v", validity, err)
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
