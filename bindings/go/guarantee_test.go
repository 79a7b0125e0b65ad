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
	for _, n0 := range []int64{0, 200, SameRows} {
		request := Request{Sigma: 0.5, K: []int{1, 2}, N: 20_000, N0: n0, Seed: Seed(7)}
		results, err := m.CertifyAnswer(context.Background(), request, fill(16, 0.125), fill(16, 0))
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range results {
			var pilot *Counts
			if r.Selection != nil {
				pilot = &Counts{Labels: r.Selection, N: r.N0}
			}
			if (pilot == nil) != (n0 == SameRows) || n0 == 0 && r.N0 != 100 || r.Err != nil || len(r.Guarantees) != 2 {
				t.Errorf("n0 %d: %+v", n0, r.Evidence)
			}
			for i, g := range r.Guarantees {
				again, err := library(t).GuaranteeCounts(Counts{Labels: r.Counts, N: r.N}, pilot,
					CountsRequest{K: request.K[i], Sigma: r.Sigma, Alpha: r.AlphaLeft, RadiusSlack: g.RadiusSlack})
				again.Decision, again.Validity = DecisionComplete, ValidityFixed
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
			agreesWithJSON(t, r)
		}
	}
}

// What is guaranteed when a rule ends the rows is what the counts of its look guarantee at all looks.
func TestGuaranteesUnderARule(t *testing.T) {
	m := model(t, "linear.onnx")
	request := Request{Sigma: 0.5, K: []int{2}, N: 1_000_000, Rule: RuleRadius(0.2), Seed: Seed(7)}
	results, err := m.CertifyAnswer(context.Background(), request, fill(16, 0.125))
	if err != nil {
		t.Fatal(err)
	}
	r, g := results[0], results[0].Guarantees[0]
	if g.Decision != DecisionCertified && g.Decision != DecisionRefuted || r.N >= 1_000_000 || g.N != r.N ||
		(g.Decision == DecisionCertified) != (g.SetRadius >= 0.2) {
		t.Errorf("%+v, %+v", r.Evidence, g)
	}
	again, err := library(t).GuaranteeCounts(Counts{Labels: r.Counts, N: r.N}, &Counts{Labels: r.Selection, N: r.N0},
		CountsRequest{K: 2, Sigma: r.Sigma, Alpha: r.AlphaLeft, Validity: g.Validity, RadiusSlack: g.RadiusSlack})
	again.Decision, again.Validity = g.Decision, g.Validity
	if err != nil || g.Validity != ValidityAnytime || !reflect.DeepEqual(again, g) {
		t.Errorf("%+v, again %+v, %v", g, again, err)
	}
	late := Request{Sigma: 0.5, N: 1_000_000_000_000, Rule: RuleTolerance(0), Timeout: 100 * time.Millisecond}
	results, err = m.CertifyAnswer(context.Background(), late, fill(16, 0.125))
	if err != nil || results[0].Cut == nil || results[0].Guarantees[0].Decision != DecisionUndecided {
		t.Errorf("%+v, %v", results, err)
	}
	var typed *Error
	late.N0 = SameRows
	if _, err = m.CertifyAnswer(context.Background(), late, fill(16, 0.125)); !errors.As(err, &typed) || typed.Field != "n0" {
		t.Errorf("labels of the same rows under a rule: %v", err)
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

func agreesWithJSON(t *testing.T, r CertifiedAnswer) {
	t.Helper()
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var record struct {
		Task       string
		Guarantees []struct {
			Labels     []int
			LabelRadii []float64  `json:"label_radii"`
			SetRadius  float64    `json:"set_radius"`
			KeptRadii  []*float64 `json:"kept_radii"`
			First      float64    `json:"first_radius"`
			Ranking    float64    `json:"ranking_radius"`
		}
	}
	if err := json.Unmarshal(text, &record); err != nil {
		t.Fatal(err)
	}
	if record.Task != "certify_answer" || len(record.Guarantees) != len(r.Guarantees) {
		t.Fatalf("%s", text)
	}
	for i, theirs := range record.Guarantees {
		g := r.Guarantees[i]
		for e, kept := range theirs.KeptRadii {
			if kept == nil != math.IsInf(g.KeptRadii[e], 1) || kept != nil && *kept != g.KeptRadii[e] {
				t.Errorf("%+v, %s", g, text)
			}
		}
		if !slices.Equal(g.Labels, theirs.Labels) || !slices.Equal(g.LabelRadii, theirs.LabelRadii) ||
			g.SetRadius != theirs.SetRadius || g.FirstRadius != theirs.First || g.RankingRadius != theirs.Ranking {
			t.Errorf("%+v, %s", g, text)
		}
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
	if g := partial.Answers[0].Guarantees[0]; partial.Answers[0].Err == nil || len(g.Labels) != 0 || g.LabelRadii != nil ||
		g.SetRadius != 0 || g.FirstRadius != 0 || g.RankingRadius != 0 || g.K != 1 {
		t.Errorf("a guarantee of a late run: %+v", g)
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

func TestGuaranteeCountsRefuses(t *testing.T) {
	lib := library(t)
	counts := drawn(900, 80, 20)
	ask := CountsRequest{K: 1, Sigma: 0.25, Alpha: 0.001}
	if _, err := lib.GuaranteeCounts(counts, &Counts{Labels: []uint64{900, 80, 20}, N: 1000}, ask); err != nil {
		t.Errorf("other rows that happen to be alike: %v", err)
	}
	for _, test := range []struct {
		field  string
		status Status
		pilot  *Counts
		change func(*CountsRequest)
	}{
		{"pilot", ErrInvalidArgument, &counts, func(*CountsRequest) {}},
		{"pilot", ErrInvalidData, &Counts{Labels: []uint64{1, 2}, N: 3}, func(*CountsRequest) {}},
		{"k", ErrInvalidArgument, nil, func(r *CountsRequest) { r.K = 3 }},
		{"k", ErrInvalidArgument, nil, func(r *CountsRequest) { r.K = 0 }},
		{"k", ErrInvalidArgument, nil, func(r *CountsRequest) { r.K = -1 }},
		{"k", ErrInvalidArgument, nil, func(r *CountsRequest) { r.K = math.MaxInt }},
		{"sigma", ErrInvalidArgument, nil, func(r *CountsRequest) { r.Sigma = 0 }},
		{"alpha", ErrInvalidArgument, nil, func(r *CountsRequest) { r.Alpha = 1 }},
		{"radius_slack", ErrInvalidArgument, nil, func(r *CountsRequest) { r.RadiusSlack = -1 }},
	} {
		ask := ask
		test.change(&ask)
		var typed *Error
		if _, err := lib.GuaranteeCounts(counts, test.pilot, ask); !errors.As(err, &typed) || typed.Status != test.status ||
			typed.Field != test.field {
			t.Errorf("%s: %v", test.field, err)
		}
	}
}
