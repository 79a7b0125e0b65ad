package smoothtopk

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// What honest users may do with counts, by the rows of the table in docs/counts.md.

// sampled draws a range of the samples that ask names, of linear.onnx at 0.125.
func sampled(t *testing.T, ask Request, first, samples uint64) *Counts {
	t.Helper()
	return made(t)(model(t, "linear.onnx").Sample(context.Background(), ask, fill(16, 0.125), first, samples))
}

var ofSeed7 = Request{Sigma: 0.5, N: 2000, Seed: Seed(7), Labels: []int{1}}

// certified is the certificate of the most frequent label, which is known beforehand: 1 of samples.
func certified(t *testing.T, counts *Counts) Certificate {
	t.Helper()
	labels := counts.Labels()
	c, err := counts.Certify(Query{Label: slices.Index(labels, slices.Max(labels)), K: 1, Alpha: 0.001})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// 1. Samples that are drawn by the range certify as a call does, costs taken, bit for bit.
func TestSamplesCertifyAsACallDoes(t *testing.T) {
	m := model(t, "linear.onnx")
	for _, levels := range []uint32{0, 8} {
		ask := ofSeed7
		ask.ExactLevels = levels
		results, err := m.Certify(context.Background(), ask, fill(16, 0.125))
		if err != nil {
			t.Fatal(err)
		}
		want, got := results[0].Certificates[0], certified(t, sampled(t, ask, 0, 2000))
		if got.Radius != want.Radius || got.Radius == 0 || got.RadiusCost != want.RadiusCost || got.AlphaLeft != want.AlphaLeft ||
			got.Assumed || (levels == 0) != (got.RadiusCost > 0) || (levels == 0) != (got.AlphaLeft == 0.001) {
			t.Errorf("%d levels: %+v, of the call %+v", levels, got, want)
		}
	}
}

// 2. Counts of a rule's answer take the bounds that hold at all looks, by themselves.
func TestCountsOfARuleTakeAnytimeBounds(t *testing.T) {
	ask := ofSeed7
	ask.N, ask.Rule = 100_000, RuleTolerance(0.1)
	results, err := model(t, "linear.onnx").Certify(context.Background(), ask, fill(16, 0.125))
	if err != nil {
		t.Fatal(err)
	}
	want, got := results[0].Certificates[0], certified(t, results[0].Counts)
	fixed := certified(t, made(t)(library(t).AssumeCounts(results[0].Counts.Labels(),
		Assumed{Noise: "gaussian:0.5", RadiusCost: got.RadiusCost})))
	if got.Validity != ValidityAnytime || got.Radius != want.Radius || got.Radius >= fixed.Radius || got.N >= 100_000 {
		t.Errorf("%+v, of the call %+v, with fixed bounds %+v", got, want, fixed)
	}
}

// 3. What a deadline left of a fixed number certifies nothing; the last look of a rule does.
func TestPartialsCertifyNothing(t *testing.T) {
	m, ctx, x := model(t, "linear.onnx"), context.Background(), fill(16, 0.125)
	ask := Request{Sigma: 0.5, N: 1_000_000_000_000, Timeout: 100 * time.Millisecond, Labels: []int{1}, Seed: Seed(7)}
	var partial *PartialError
	if _, err := m.Certify(ctx, ask, x); !errors.As(err, &partial) {
		t.Fatal(err)
	}
	list := []*Counts{partial.Certifications[0].Counts}
	if _, err := m.Sample(ctx, ask, x, 0, 1_000_000_000); !errors.As(err, &partial) {
		t.Fatal(err)
	}
	list = append(list, partial.Counts)
	text, err := partial.Counts.JSON()
	if err != nil {
		t.Fatal(err)
	}
	list = append(list, made(t)(library(t).CountsFromJSON(text)))
	for _, counts := range list {
		_, err := counts.Certify(Query{K: 1, Alpha: 0.001})
		refusedData(t, "cut short", err)
		_, err = counts.Predict(1, 0.001)
		refusedData(t, "cut short", err)
		_, err = counts.Guarantee(1, 0.001, nil)
		refusedData(t, "cut short", err)
	}
	ask.Rule = RuleTolerance(0)
	results, err := m.Certify(ctx, ask, x)
	if err != nil || results[0].EarlyStop == nil {
		t.Fatalf("%+v, %v", results, err)
	}
	if c := results[0].Certificates[0]; certified(t, c.Counts).Radius != c.Radius {
		t.Errorf("%+v, again %+v", c, certified(t, c.Counts))
	}
}

// Invalid samples stay in n, also where the counts were cut short.
func TestInvalidSamplesAreKept(t *testing.T) {
	m := model(t, "nan_scores.onnx")
	x := fill(m.Info().Elements, 0)
	counts := made(t)(m.Sample(context.Background(), Request{Sigma: 0.5, Seed: Seed(1)}, x, 0, 1000))
	if counts.Invalid() == 0 || counts.N() != 1000 || sum(counts.Labels())+counts.Invalid() != 1000 {
		t.Errorf("%v of %d, %d invalid", counts.Labels(), counts.N(), counts.Invalid())
	}
	ask := Request{Sigma: 0.5, Seed: Seed(1), Timeout: 200 * time.Millisecond}
	var partial *PartialError
	if _, err := m.Sample(context.Background(), ask, x, 0, 1_000_000_000); !errors.As(err, &partial) {
		t.Fatal(err)
	}
	if counts = partial.Counts; counts.Invalid() == 0 || sum(counts.Labels())+counts.Invalid() != counts.N() {
		t.Errorf("cut short: %v of %d, %d invalid", counts.Labels(), counts.N(), counts.Invalid())
	}
}

// 4. The same samples are not added twice.
func TestTheSameSamplesAddOnce(t *testing.T) {
	total := sampled(t, ofSeed7, 0, 1000)
	for _, first := range []uint64{0, 999} {
		refusedData(t, "share samples", total.Add(sampled(t, ofSeed7, first, 1000)))
	}
	refused(t, "other", total.Add(total))
	clone := made(t)(total.Clone())
	refusedData(t, "share samples", total.Add(clone))
	if total.N() != 1000 || clone.N() != 1000 {
		t.Errorf("%d, clone %d", total.N(), clone.N())
	}
	other := ofSeed7
	other.Stream = 1
	if err := total.Add(sampled(t, other, 0, 1000)); err != nil || total.N() != 2000 || clone.N() != 1000 {
		t.Errorf("another stream: %v, %d, clone %d", err, total.N(), clone.N())
	}
}

// 5. A pilot that holds the very samples that certify is refused.
func TestAPilotIsOfOtherSamples(t *testing.T) {
	counts := sampled(t, ofSeed7, 0, 1000)
	_, err := counts.Guarantee(1, 0.001, sampled(t, ofSeed7, 500, 1000))
	refusedData(t, "share samples", err)
	refused(t, "pilot", err)
	_, err = counts.Guarantee(1, 0.001, counts)
	refused(t, "pilot", err)
	g, err := counts.Guarantee(1, 0.001, sampled(t, ofSeed7, 1000, 1000))
	if err != nil || g.SetRadius <= 0 || g.Validity != ValidityFixed || g.Assumed {
		t.Errorf("%+v, %v", g, err)
	}
}

// 6. Bare numbers certify what is stated of them, and say so; they do not mix with samples that are known.
func TestBareNumbersAreAssumed(t *testing.T) {
	known, stated := sampled(t, ofSeed7, 0, 1000), bare(t, 990, 6, 4)
	if c := certified(t, stated); !c.Assumed || c.Radius == 0 || certified(t, known).Assumed {
		t.Errorf("%+v", c)
	}
	text, err := stated.Assumptions()
	if err != nil || !strings.Contains(text, "gaussian:0.25") || !strings.Contains(text, "was fixed before") {
		t.Errorf("%q, %v", text, err)
	}
	if text, err := known.Assumptions(); err != nil || text != "" {
		t.Errorf("%q, %v", text, err)
	}
	refusedData(t, "bare numbers", known.Add(stated))
	refusedData(t, "bare numbers", stated.Add(known))
	short := made(t)(library(t).AssumeCounts([]uint64{990, 0, 0}, Assumed{Noise: "gaussian:0.25", N: 1000}))
	if short.Invalid() != 10 || certified(t, short).Radius >= certified(t, bare(t, 1000, 0, 0)).Radius {
		t.Errorf("invalid samples: %+v", certified(t, short))
	}
}

// 7. Whoever looks, and then adds samples, has bounds that hold at all looks.
func TestWhatWasSeenAndThenGrew(t *testing.T) {
	for _, through := range []func(*Counts) *Counts{
		func(c *Counts) *Counts { return c },
		func(c *Counts) *Counts { return made(t)(c.Clone()) },
		func(c *Counts) *Counts {
			text, err := c.JSON()
			if err != nil {
				t.Fatal(err)
			}
			return made(t)(library(t).CountsFromJSON(text))
		},
	} {
		counts := sampled(t, ofSeed7, 0, 1000)
		if c := certified(t, counts); c.Validity != ValidityFixed {
			t.Errorf("%+v", c)
		}
		counts = through(counts)
		if err := counts.Add(sampled(t, ofSeed7, 1000, 1000)); err != nil {
			t.Fatal(err)
		}
		if c := certified(t, counts); c.Validity != ValidityAnytime || c.N != 2000 {
			t.Errorf("%+v", c)
		}
	}
	// Said before the first look: one alpha for all looks.
	growing := sampled(t, ofSeed7, 0, 1000)
	if err := growing.SetGrowing(999); !errors.Is(err, ErrInvalidArgument) {
		t.Error(err)
	}
	if err := growing.SetGrowing(2000); err != nil || certified(t, growing).Validity != ValidityAnytime {
		t.Errorf("%+v, %v", certified(t, growing), err)
	}
	// The sum that is built again from its parts has been looked at, too.
	part, rest := sampled(t, ofSeed7, 0, 1000), sampled(t, ofSeed7, 1000, 1000)
	sum := made(t)(part.Clone())
	if err := sum.Add(rest); err != nil || certified(t, sum).Validity != ValidityFixed {
		t.Errorf("%+v, %v", certified(t, sum), err)
	}
	if err := part.Add(rest); err != nil || certified(t, part).Validity != ValidityAnytime {
		t.Errorf("%+v, %v", certified(t, part), err)
	}
	refusedData(t, "before the first statement", sum.SetGrowing(2000))
	unseen := sampled(t, ofSeed7, 0, 1000)
	if err := unseen.Add(sampled(t, ofSeed7, 1000, 1000)); err != nil || certified(t, unseen).Validity != ValidityFixed {
		t.Errorf("%+v, %v", certified(t, unseen), err)
	}
}

// 8. Samples that chose, predicted or answered labels certify none of them as if it had been fixed.
func TestCountsThatChoseALabel(t *testing.T) {
	m, ctx, x := model(t, "linear.onnx"), context.Background(), fill(16, 0.125)
	ask := ofSeed7
	ask.Labels = nil
	chosen, errA := m.Certify(ctx, ask, x)
	predicted, errB := m.Predict(ctx, ask, x)
	answered, errC := m.CertifyAnswer(ctx, ask, x)
	if err := errors.Join(errA, errB, errC); err != nil {
		t.Fatal(err)
	}
	// Whatever they were drawn for.
	drawn := sampled(t, ofSeed7, 0, 1000)
	if p, err := drawn.Predict(1, 0.001); err != nil || p.K != 1 {
		t.Errorf("%+v, %v", p, err)
	}
	for did, counts := range map[string]*Counts{"chose": chosen[0].Selection, "predicted": predicted[0].Counts,
		"answered": answered[0].Counts, "certify before you predict": drawn} {
		_, err := counts.Certify(Query{K: 1, Alpha: 0.001})
		refusedData(t, did, err)
		if g, err := counts.Guarantee(1, 0.001, nil); err != nil || g.K != 1 {
			t.Errorf("%s: %+v, %v", did, g, err)
		}
	}
}

// 9. Samples of another classifier, input or noise are not added, and the error names what differs.
func TestSamplesOfSomethingElse(t *testing.T) {
	counts, ctx, x := sampled(t, ofSeed7, 0, 100), context.Background(), fill(16, 0.125)
	louder, exact := ofSeed7, ofSeed7
	louder.Sigma, exact.ExactLevels = 0.25, 8
	for says, other := range map[string]*Counts{
		"another input": made(t)(model(t, "linear.onnx").Sample(ctx, ofSeed7, fill(16, 0.25), 100, 100)),
		"labels":        made(t)(model(t, "linear2.onnx").Sample(ctx, ofSeed7, x, 100, 100)),
		"another reading": made(t)(model(t, "linear.onnx", WithNormalization([]float32{0.5}, nil)).Sample(ctx, ofSeed7, x, 100,
			100)),
		"another model": made(t)(library(t).CountsFromJSON(
			replaced(t, sampled(t, ofSeed7, 100, 100), `"model_sha256":"`+model(t, "linear.onnx").Info().SHA256[:8], `"model_sha256":"00000000`))),
		"gaussian:0.25": sampled(t, louder, 100, 100),
		"other noise":   sampled(t, exact, 100, 100),
		"arithmetic": made(t)(library(t).CountsFromJSON(
			replaced(t, sampled(t, ofSeed7, 100, 100), `"arithmetic":"float32"`, `"arithmetic":"tf32"`))),
	} {
		refusedData(t, says, counts.Add(other))
	}
	if counts.N() != 100 {
		t.Errorf("%d samples", counts.N())
	}
}

// 10. JSON reads back, and what was damaged, or is newer, is refused.
func TestDamagedJSONIsRefused(t *testing.T) {
	lib, counts := library(t), sampled(t, ofSeed7, 0, 1000)
	for name, write := range map[string]func(*Counts) ([]byte, error){"shown": (*Counts).JSON, "secret": (*Counts).JSONWithSecret} {
		text, err := write(counts)
		if err != nil {
			t.Fatal(err)
		}
		read := made(t)(lib.CountsFromJSON(text))
		if again, err := write(read); err != nil || string(again) != string(text) {
			t.Errorf("%s: %s, again %s, %v", name, text, again, err)
		}
		if a, b := certified(t, made(t)(counts.Clone())), certified(t, read); a.Radius != b.Radius || read.N() != 1000 ||
			!slices.Equal(read.Labels(), counts.Labels()) {
			t.Errorf("%s: %+v, read %+v", name, a, b)
		}
	}
	for from, to := range map[string]string{
		`"radius_cost":`:      `"radius_cost":0,"was":`,
		`"alpha_cost":0`:      `"alpha_cost":1`,
		`"n":1000`:            `"n":1001`,
		`[[0,1000]]`:          `[[0,600],[500,900]]`,
		`"samples":[[0,1000]`: `"samples":[[0,999]`,
		`"seen":`:             `"unheard_of":1,"seen":`,
		`smoothtopk-counts`:   `smoothtopk-record`,
		`"version":"1.`:       `"version":"2.`,
	} {
		if _, err := lib.CountsFromJSON(replaced(t, counts, from, to)); !errors.Is(err, ErrInvalidData) {
			t.Errorf("%s for %s: %v", to, from, err)
		}
	}
	for _, text := range []string{"{", "null", "{\x00}"} {
		if _, err := lib.CountsFromJSON([]byte(text)); !errors.Is(err, ErrInvalidData) && !errors.Is(err, ErrInvalidArgument) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestNegativeQueriesAreRefused(t *testing.T) {
	counts := bare(t, 990, 10)
	for field, query := range map[string]Query{"label": {Label: -1, K: 1, Alpha: 0.1}, "k": {K: -1, Alpha: 0.1}, "alpha": {K: 1}} {
		_, err := counts.Certify(query)
		refused(t, field, err)
	}
	for _, k := range []int{-1, 0, 2, 1 << 62} {
		_, err := counts.Predict(k, 0.001)
		refused(t, "k", err)
	}
}

func TestClosedCounts(t *testing.T) {
	counts, other := bare(t, 990, 10), bare(t, 1, 1)
	for range 2 {
		if err := counts.Close(); err != nil {
			t.Fatal(err)
		}
	}
	_, certify := counts.Certify(Query{K: 1, Alpha: 0.001})
	_, predict := counts.Predict(1, 0.001)
	_, guarantee := counts.Guarantee(1, 0.001, nil)
	_, pilot := other.Guarantee(1, 0.001, counts)
	_, clone := counts.Clone()
	_, text := counts.JSON()
	for i, err := range []error{certify, predict, guarantee, pilot, clone, text, counts.Add(other), other.Add(counts)} {
		if err != ErrClosed {
			t.Errorf("%d: %v", i, err)
		}
	}
	if counts.N() != 1000 || counts.Invalid() != 0 || !slices.Equal(counts.Labels(), []uint64{990, 10}) {
		t.Errorf("%v of %d", counts.Labels(), counts.N())
	}
	counts.Labels()[0] = 0
	if counts.Labels()[0] != 990 {
		t.Error("the labels are not a copy")
	}
}

func TestUnreachableCountsAreFreed(t *testing.T) {
	eventually(t, "counts of other tests were freed", func() bool { return nativeCounts.Load() == 0 })
	keep := sampled(t, ofSeed7, 0, 10)
	for range 100 {
		sampled(t, ofSeed7, 0, 10)
	}
	eventually(t, "counts without Close were freed", func() bool { return nativeCounts.Load() == 1 })
	runtime.KeepAlive(keep)
}

// Goroutines may ask of counts, and add to them, at once. Two that add to each other's do not wait for ever.
func TestGoroutinesShareCounts(t *testing.T) {
	total, a, b := sampled(t, ofSeed7, 0, 10), bare(t, 9, 1), bare(t, 8, 2)
	var parts []*Counts
	for i := range uint64(8) {
		parts = append(parts, sampled(t, ofSeed7, 10+10*i, 10))
	}
	var group sync.WaitGroup
	for i, part := range parts {
		group.Add(1)
		go func() {
			defer group.Done()
			errs := []error{total.Add(part)}
			for range 10 {
				_, certify := total.Certify(Query{K: 1, Alpha: 0.001})
				_, text := total.JSON()
				_, guarantee := a.Guarantee(1, 0.001, b)
				errs = append(errs, certify, text, guarantee)
				if n := total.N(); n < 20 || sum(total.Labels()) < n {
					errs = append(errs, fmt.Errorf("%d samples", n))
				}
				if i == 0 {
					errs = append(errs, a.Add(b))
				} else if i == 1 {
					errs = append(errs, b.Add(a))
				}
			}
			if err := errors.Join(errs...); err != nil {
				t.Error(err)
			}
		}()
	}
	group.Wait()
	if total.N() != 90 {
		t.Errorf("%d samples", total.N())
	}
}
