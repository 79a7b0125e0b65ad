package smoothtopk

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"slices"
	"testing"
	"time"
)

// What is certified of an answer is what its counts guarantee.
func TestGuaranteesComeAgainFromTheCounts(t *testing.T) {
	m := model(t, "linear.onnx")
	for _, n0 := range []int64{0, 200, SameSamples} {
		request := Request{Sigma: 0.5, K: []int{1, 2}, N: 20_000, N0: n0, Seed: Seed(7)}
		results, err := m.CertifyAnswer(context.Background(), request, fill(16, 0.125), fill(16, 0))
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range results {
			pilot := r.Selection
			if (pilot == nil) != (n0 == SameSamples) || n0 == 0 && pilot.N() != 100 || r.Err != nil || len(r.Guarantees) != 2 {
				t.Errorf("n0 %d: %+v", n0, r.Evidence)
			}
			for i, g := range r.Guarantees {
				again, err := g.Counts.Guarantee(request.K[i], 0.001, pilot)
				again.Decision = DecisionComplete
				if err != nil || !reflect.DeepEqual(again, g) {
					t.Errorf("n0 %d: %+v, again %+v, %v", n0, g, again, err)
				}
				if len(g.Labels) != g.K || len(g.LabelRadii) != g.K || len(g.KeptRadii) != g.K || g.K == 1 && g.SetRadius <= 0 ||
					g.LabelRadii[0] <= 0 || g.RankingRadius > g.FirstRadius || !slices.IsSortedFunc(g.KeptRadii, descending) {
					t.Errorf("n0 %d: %+v", n0, g)
				}
				// Of three labels two are returned: the one outside can push one of them out, not both.
				if (g.K == 2) != math.IsInf(g.KeptRadii[0], 1) {
					t.Errorf("kept: %v", g.KeptRadii)
				}
			}
		}
	}
}

// What is guaranteed when a rule ends the samples is what the counts of its look guarantee at all looks.
func TestGuaranteesUnderARule(t *testing.T) {
	m := model(t, "linear.onnx")
	request := Request{Sigma: 0.5, K: []int{2}, N: 1_000_000, Rule: RuleRadius(0.2), Seed: Seed(7)}
	results, err := m.CertifyAnswer(context.Background(), request, fill(16, 0.125))
	if err != nil {
		t.Fatal(err)
	}
	r, g := results[0], results[0].Guarantees[0]
	if g.Decision != DecisionCertified && g.Decision != DecisionRefuted || r.Counts.N() >= 1_000_000 || g.N != r.Counts.N() ||
		(g.Decision == DecisionCertified) != (g.SetRadius >= 0.2) {
		t.Errorf("%+v, %+v", r.Evidence, g)
	}
	again, err := r.Counts.Guarantee(2, 0.001, r.Selection)
	again.Decision = g.Decision
	if err != nil || g.Validity != ValidityAnytime || !reflect.DeepEqual(again, g) {
		t.Errorf("%+v, again %+v, %v", g, again, err)
	}
	late := Request{Sigma: 0.5, N: 1_000_000_000_000, Rule: RuleTolerance(0), Timeout: 100 * time.Millisecond}
	results, err = m.CertifyAnswer(context.Background(), late, fill(16, 0.125))
	if err != nil || results[0].EarlyStop == nil || results[0].Guarantees[0].Decision != DecisionUndecided {
		t.Errorf("%+v, %v", results, err)
	}
	var typed *Error
	late.N0 = SameSamples
	if _, err = m.CertifyAnswer(context.Background(), late, fill(16, 0.125)); !errors.As(err, &typed) || typed.Field != "n0" {
		t.Errorf("labels of the same samples under a rule: %v", err)
	}
}

func descending(a, b float64) int {
	switch {
	case a > b:
		return -1
	case a < b:
		return 1
	}
	return 0
}

// Infinite radii are written as null, and read back.
func TestRadiiAsJSON(t *testing.T) {
	text, err := json.Marshal(Radii{math.Inf(1), 0.1, 0})
	var read Radii
	if err != nil || string(text) != "[null,0.1,0]" || json.Unmarshal(text, &read) != nil ||
		!slices.Equal(read, Radii{math.Inf(1), 0.1, 0}) {
		t.Errorf("%s, %v, read %v", text, err, read)
	}
	if err := json.Unmarshal([]byte("[true]"), &read); err == nil {
		t.Error("true was read as a radius")
	}
}

func TestCertifyAnswerEndsEarly(t *testing.T) {
	m := model(t, "linear.onnx")
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err := m.CertifyAnswer(ctx, endless, fill(16, 0))
	var partial *PartialError
	if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &partial) || len(partial.Answers) != 1 {
		t.Fatal(err)
	}
	if late := partial.Answers[0]; late.Err == nil || late.Guarantees != nil {
		t.Errorf("a guarantee of a late run: %+v", late)
	}
	_, err = m.CertifyAnswer(context.Background(), Request{Sigma: 0.25, N0: -2}, fill(16, 0))
	if !errors.Is(err, ErrInvalidArgument) {
		t.Errorf("n0 -2: %v", err)
	}
	m.Close()
	if _, err := m.CertifyAnswer(context.Background(), endless, fill(16, 0)); err != ErrClosed {
		t.Errorf("closed: %v", err)
	}
}

func TestGuaranteeOfCountsRefuses(t *testing.T) {
	counts := bare(t, 900, 80, 20)
	if _, err := counts.Guarantee(1, 0.001, bare(t, 900, 80, 20)); err != nil {
		t.Errorf("other samples that happen to be alike: %v", err)
	}
	for _, test := range []struct {
		field string
		pilot *Counts
		k     int
		alpha float64
	}{
		{"pilot", counts, 1, 0.001}, {"pilot", bare(t, 1, 2), 1, 0.001}, {"k", nil, 3, 0.001}, {"k", nil, 0, 0.001},
		{"k", nil, -1, 0.001}, {"k", nil, math.MaxInt, 0.001}, {"alpha", nil, 1, 1},
	} {
		_, err := counts.Guarantee(test.k, test.alpha, test.pilot)
		refused(t, test.field, err)
	}
	_, err := library(t).AssumeCounts([]uint64{1}, Assumed{Noise: "gaussian:0"})
	refused(t, "sigma", err)
	_, err = library(t).AssumeCounts([]uint64{1}, Assumed{})
	refused(t, "noise", err)
	_, err = library(t).AssumeCounts([]uint64{1}, Assumed{Noise: "gaussian:1", RadiusCost: -1})
	refused(t, "radius_cost", err)
}
