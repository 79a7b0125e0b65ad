package smoothtopk

import (
	"context"
	"errors"
	"testing"
)

func TestAllocations(t *testing.T) {
	if text := PooledShare(0.5, 1, 2); text != "pooled:0.5:1,2" {
		t.Error(text)
	}
	if text := PooledShare(1e-5); text != "pooled:0.00001" {
		t.Error(text)
	}
	m := model(t, "linear.onnx")
	ctx, x := context.Background(), fill(16, 0)
	for _, allocation := range []Allocation{"", Ranked, SimuEM, BinoCP, RankedShare(0.25), PooledShare(0.75), PooledShare(0.5, 0), Auto} {
		request := Request{Sigma: 0.25, K: []int{2}, N: 3000, Allocation: allocation, Seed: Seed(1), Labels: []int{1}}
		results, err := m.Certify(ctx, request, x)
		if err != nil {
			t.Errorf("%q: %v", allocation, err)
			continue
		}
		r, c := results[0], results[0].Certificates[0]
		want := allocation
		if want == "" {
			want = Ranked
		}
		if c.Allocation == "" || c.Allocation == Auto || allocation != Auto && c.Allocation != want ||
			(allocation == Auto) != (r.Selection != nil) {
			t.Errorf("%q: %+v", allocation, c)
		}
		again, err := c.Counts.Certify(Query{Label: 1, K: 2, Alpha: 0.001, Allocation: c.Allocation})
		if again.Decision = c.Decision; err != nil || again != c {
			t.Errorf("%q: %+v, again %+v, %v", c.Allocation, c, again, err)
		}
	}
}

func TestAllocationsThatAreRefused(t *testing.T) {
	m, counts := model(t, "linear.onnx"), bare(t, 3, 7, 990)
	for _, allocation := range []Allocation{"all", RankedShare(0), RankedShare(1), "pooled", "pooled:0.5:x", "ranked\x00"} {
		_, err := m.Certify(context.Background(), Request{Sigma: 0.25, N: 10, Allocation: allocation}, fill(16, 0))
		refused(t, "allocation", err)
		_, err = counts.Certify(Query{Label: 2, K: 1, Alpha: 0.001, Allocation: allocation})
		if !errors.Is(err, ErrInvalidArgument) {
			t.Errorf("counts, %q: %v", allocation, err)
		}
	}
	_, err := counts.Certify(Query{Label: 2, K: 1, Alpha: 0.001, Allocation: Auto})
	refused(t, "allocation", err)
}

// Bounds for all looks cost some of the radius, a uniform number gains some.
func TestValidity(t *testing.T) {
	certify := func(validity Validity, query Query) (Certificate, error) {
		counts, err := library(t).AssumeCounts([]uint64{3, 7, 990}, Assumed{Noise: "gaussian:0.25", Validity: validity})
		if err != nil {
			return Certificate{}, err
		}
		query.Label, query.K, query.Alpha = 2, 1, 0.001
		return counts.Certify(query)
	}
	plain, err := certify("", Query{})
	if err != nil || plain.Validity != ValidityFixed {
		t.Fatalf("%+v, %v", plain, err)
	}
	for _, test := range []struct {
		stated, used Validity
		query        Query
		more         int
	}{
		{ValidityFixed, ValidityFixed, Query{}, 0},
		{ValidityAnytime, ValidityAnytime, Query{}, -1},
		// No rule promised to give half of alpha to the last look.
		{ValidityAnytimeTo(1000), ValidityAnytime, Query{}, -1},
		{"", "randomized:0.5", Query{Randomized: true, Uniform: 0.5}, 1},
	} {
		c, err := certify(test.stated, test.query)
		more := 0
		if c.Radius > plain.Radius {
			more = 1
		} else if c.Radius < plain.Radius {
			more = -1
		}
		if err != nil || c.Validity != test.used || more != test.more || c.Validity.Uniform() != test.query.Uniform {
			t.Errorf("%+v: %+v, %v; fixed %v", test, c, err, plain.Radius)
		}
	}
	for _, validity := range []Validity{"some", "randomized:0.5", "fixed\x00", "anytime:x"} {
		_, err := certify(validity, Query{})
		refused(t, "validity", err)
	}
	_, err = certify("", Query{Randomized: true}) // bare numbers have no seed
	refused(t, "randomized", err)
	_, err = certify("", Query{Randomized: true, Uniform: -1})
	refused(t, "uniform", err)
	_, err = certify("", Query{Uniform: 0.5})
	refused(t, "uniform", err)
	_, err = certify(ValidityAnytime, Query{Randomized: true, Uniform: 0.5})
	refused(t, "randomized", err)
}

func TestRandomizedBoundsComeAgain(t *testing.T) {
	request := Request{Sigma: 0.25, K: []int{1, 2}, N: 1000, Randomized: true, Seed: Seed(3), Labels: []int{0}}
	results, err := model(t, "linear.onnx").Certify(context.Background(), request, fill(16, 0.125))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range results[0].Certificates {
		for _, query := range []Query{{Randomized: true}, {Randomized: true, Uniform: c.Validity.Uniform()}} {
			query.Label, query.K, query.Alpha = 0, c.K, 0.001
			again, err := c.Counts.Certify(query)
			if again.Decision = c.Decision; err != nil || again != c || c.Validity.Uniform() == 0 {
				t.Errorf("%+v, again %+v, %v", c, again, err)
			}
		}
	}
}
