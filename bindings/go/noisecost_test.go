package smoothtopk

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"slices"
	"testing"
)

func refused(t *testing.T, field string, err error) {
	t.Helper()
	var typed *Error
	if !errors.As(err, &typed) || typed.Field != field {
		t.Errorf("%s: %v", field, err)
	}
}

// Counts of Sample, their sums, and those that were saved certify as a run does, to the last bit.
func TestCountsCertifyAsARunDoes(t *testing.T) {
	m, lib, ctx, x := model(t, "linear.onnx"), library(t), context.Background(), fill(16, 0.125)
	for _, levels := range []uint32{0, 8} {
		for _, ask := range []Request{{N: 20, Alpha: 0.4}, {N: 3000, Alpha: 0.001}, {N: 3000, Alpha: 1e-12}} {
			ask.Sigma, ask.ExactLevels, ask.Seed = 0.5, levels, Seed(1)
			rows := uint64(ask.N)
			counts, err := m.Sample(ctx, ask, x, 0, rows)
			if err != nil {
				t.Fatal(err)
			}
			label := slices.Index(counts.Labels, slices.Max(counts.Labels))
			ask.Labels = []int{label}
			results, err := m.Certify(ctx, ask, x)
			if err != nil || results[0].Certificates[0].Radius == 0 {
				t.Fatalf("%+v, %v", results, err)
			}
			whole, left := results[0].Certificates[0], results[0].AlphaLeft
			cost, err := m.NoiseCost(ask, rows)
			if err != nil || cost != (NoiseCost{left, whole.RadiusSlack}) {
				t.Errorf("cost %+v, %v; of the run %v, %v", cost, err, left, whole.RadiusSlack)
			}
			a, errA := m.Sample(ctx, ask, x, 0, rows/2)
			b, errB := m.Sample(ctx, ask, x, rows/2, rows-rows/2)
			if errA != nil || errB != nil {
				t.Fatal(errA, errB)
			}
			both, err := lib.AddCounts(*a, *b)
			if err != nil {
				t.Fatal(err)
			}
			var saved Counts
			text, err := json.Marshal(counts)
			if err != nil || json.Unmarshal(text, &saved) != nil || !reflect.DeepEqual(saved, *counts) {
				t.Fatalf("%s, %v: %+v", text, err, saved)
			}
			question := CountsRequest{Label: label, K: 1, Alpha: ask.Alpha}
			bare := question
			bare.Sigma, bare.Alpha, bare.RadiusSlack = 0.5, cost.AlphaLeft, cost.RadiusSlack
			again := []Certificate{}
			for _, each := range []Counts{*counts, both, saved} {
				found, err := lib.CertifyCounts(each, question)
				if err != nil {
					t.Fatal(err)
				}
				again = append(again, found)
			}
			found, err := lib.CertifyCounts(Counts{Labels: counts.Labels, N: rows}, bare)
			if err != nil {
				t.Fatal(err)
			}
			for i, c := range append(again, found) {
				if c.Radius != whole.Radius || c.PLower != whole.PLower || c.RadiusSlack != whole.RadiusSlack {
					t.Errorf("levels %d, %d rows, counts %d: %+v, in a run %+v", levels, rows, i, c, whole)
				}
			}
		}
	}
}

func TestCountsGuaranteeAsARunDoes(t *testing.T) {
	m, lib, ctx, x := model(t, "linear.onnx"), library(t), context.Background(), fill(16, 0.125)
	for _, levels := range []uint32{0, 8} {
		ask := Request{Sigma: 0.5, K: []int{2}, N: 500, N0: 50, ExactLevels: levels, Seed: Seed(1)}
		results, err := m.CertifyAnswer(ctx, ask, x)
		if err != nil {
			t.Fatal(err)
		}
		r, whole := results[0], results[0].Guarantees[0]
		counts, err := m.Sample(ctx, ask, x, 0, 1)
		if err != nil {
			t.Fatal(err)
		}
		counts.Labels, counts.N = r.Counts, r.N
		again, err := lib.GuaranteeCounts(*counts, &Counts{Labels: r.Selection, N: r.N0}, CountsRequest{K: 2, Alpha: 0.001})
		if err != nil || !slices.Equal(again.LabelRadii, whole.LabelRadii) || again.RadiusSlack != whole.RadiusSlack ||
			again.Alpha != whole.Alpha || again.Sigma != 0.5 {
			t.Errorf("levels %d: %+v, %v; in a run %+v", levels, again, err, whole)
		}
	}
}

func TestWhatIsLeftIsTheLibrarysToTheLastBit(t *testing.T) {
	m := model(t, "linear.onnx")
	for _, levels := range []uint32{8, 255, 1 << 12} {
		counts, err := m.Sample(context.Background(), Request{Sigma: 0.5, ExactLevels: levels}, fill(16, 0), 0, 1)
		if err != nil || !(counts.Noise.RowAlpha > 0) {
			t.Fatalf("%+v, %v", counts, err)
		}
		each := counts.Noise.RowAlpha
		for _, rows := range []uint64{1, 2, 3, 20, 100_000, 1_000_000_000, 1_000_000_000_000} {
			for _, alpha := range []float64{0.5, 0.4, 0.001, 1e-9, 3 * float64(rows) * each, 2.1 * float64(rows) * each} {
				if alpha > 0.5 || alpha < 2.05*float64(rows)*each {
					continue
				}
				cost, err := m.NoiseCost(Request{Sigma: 0.5, ExactLevels: levels, Alpha: alpha}, rows)
				left, mine := alphaLeft(alpha, rows, each)
				if err != nil || mine != nil || left != cost.AlphaLeft {
					t.Errorf("%d levels, %d rows, alpha %v: %v, %v; the library has %v, %v", levels, rows, alpha, left, mine,
						cost.AlphaLeft, err)
				}
			}
		}
	}
	_, err := m.NoiseCost(Request{Sigma: 0.5, ExactLevels: 8, Alpha: 1e-15}, 1_000_000)
	refused(t, "alpha", err)
	_, err = m.NoiseCost(Request{Sigma: 0.5}, 0)
	refused(t, "rows", err)
	closed := model(t, "linear.onnx")
	closed.Close()
	if _, err := closed.NoiseCost(Request{Sigma: 0.5}, 1); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}

// The cost is by the rows that there might have been.
func TestNoiseThatCostsAlpha(t *testing.T) {
	lib := library(t)
	costly := drawn(95, 5, 0)
	costly.Noise = RowNoise{Sigma: 0.5, RowAlpha: 1e-5}
	certify := func(change func(*Counts, *CountsRequest)) (float64, error) {
		counts, ask := costly, CountsRequest{K: 1, Alpha: 0.01}
		change(&counts, &ask)
		c, err := lib.CertifyCounts(counts, ask)
		return c.Radius, err
	}
	at := func(alpha float64) float64 {
		c, err := lib.CertifyCounts(drawn(95, 5, 0), CountsRequest{K: 1, Sigma: 0.5, Alpha: alpha})
		if err != nil {
			t.Fatal(err)
		}
		return c.Radius
	}
	near := func(what string, radius float64, err error, alpha float64) {
		if err != nil || math.Abs(radius-at(alpha)) > 1e-9 || radius == at(0.01) {
			t.Errorf("%s: %v, %v; want %v", what, radius, err, at(alpha))
		}
	}
	radius, err := certify(func(*Counts, *CountsRequest) {})
	near("the rows", radius, err, 0.009)
	radius, err = certify(func(_ *Counts, r *CountsRequest) { r.MostRows = 400 })
	near("the most rows", radius, err, 0.006)
	last, err := certify(func(_ *Counts, r *CountsRequest) { r.Validity = ValidityAnytimeTo(400) })
	if err != nil {
		t.Error(err)
	}
	most, err := certify(func(_ *Counts, r *CountsRequest) { r.Validity, r.MostRows = ValidityAnytimeTo(400), 400 })
	if err != nil || most != last {
		t.Errorf("%v, %v, %v", most, last, err)
	}
	for field, change := range map[string]func(*Counts, *CountsRequest){
		"most_rows": func(_ *Counts, r *CountsRequest) { r.MostRows = 99 },
		"alpha":     func(_ *Counts, r *CountsRequest) { r.Alpha = 0.001 },
		"sigma":     func(_ *Counts, r *CountsRequest) { r.Sigma = 0.25 },
		"row_alpha": func(c *Counts, _ *CountsRequest) { c.Noise.RowAlpha = math.NaN() },
		"validity": func(_ *Counts, r *CountsRequest) { r.Validity = "anytime:x" },
	} {
		_, err := certify(change)
		refused(t, field, err)
	}
	_, err = certify(func(_ *Counts, r *CountsRequest) { r.Validity = ValidityAnytime })
	refused(t, "most_rows", err)
	_, err = lib.PredictCounts(costly, CountsRequest{K: 1, Alpha: 0.001})
	refused(t, "alpha", err)
	_, err = lib.GuaranteeCounts(costly, nil, CountsRequest{K: 1, Alpha: 0.001})
	refused(t, "alpha", err)
	other := drawn(50, 50, 0)
	other.Noise.Sigma = 0.25
	_, err = lib.GuaranteeCounts(costly, &other, CountsRequest{K: 1, Alpha: 0.01})
	refused(t, "pilot", err)
	_, err = lib.AddCounts(costly, other)
	refused(t, "counts", err)
	for _, pair := range [][2]Counts{{costly, drawn(1, 1, 1)}, {drawn(1, 1, 1), costly}} {
		if both, err := lib.AddCounts(pair[0], pair[1]); err != nil || both.Noise != costly.Noise {
			t.Errorf("%+v, %v", both, err)
		}
	}
}

func TestTheLargerSlackCounts(t *testing.T) {
	counts := drawn(990, 10)
	counts.Noise = RowNoise{Sigma: 0.5, RadiusSlack: 0.125}
	for given, want := range map[float64]float64{0: 0.125, 0.0625: 0.125, 0.25: 0.25} {
		c, err := library(t).CertifyCounts(counts, CountsRequest{K: 1, Alpha: 0.001, RadiusSlack: given})
		if err != nil || c.RadiusSlack != want {
			t.Errorf("given %v: %v, %v", given, c.RadiusSlack, err)
		}
	}
	for _, wrong := range []float64{-1, math.NaN()} {
		_, err := library(t).CertifyCounts(counts, CountsRequest{K: 1, Alpha: 0.001, RadiusSlack: wrong})
		refused(t, "radius_slack", err)
	}
}

// Without its N the library would take counts for all rows, and drop those without a label.
func TestCountsSayTheirRows(t *testing.T) {
	lib, counts, ask := library(t), Counts{Labels: []uint64{990, 10}}, CountsRequest{K: 1, Sigma: 0.25, Alpha: 0.001}
	_, err := lib.CertifyCounts(counts, ask)
	refused(t, "n", err)
	_, err = lib.PredictCounts(counts, ask)
	refused(t, "n", err)
	_, err = lib.GuaranteeCounts(counts, nil, ask)
	refused(t, "n", err)
	_, err = lib.AddCounts(counts, drawn(1, 1))
	refused(t, "n", err)
}
