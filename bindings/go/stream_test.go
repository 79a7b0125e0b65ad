package smoothtopk

import (
	"context"
	"errors"
	"testing"
	"time"
)

// unending is decided by nothing within a test's time.
var unending = Request{Sigma: 0.25, N: 1_000_000_000_000, Rule: RuleTolerance(0), Seed: Seed(7)}

func TestInterimAnswersComeInOrderAndTheFinalOneLast(t *testing.T) {
	m, ctx := model(t, "linear.onnx"), context.Background()
	request := Request{Sigma: 0.25, K: []int{1, 2}, N: 200_000, Rule: RuleTolerance(0.001), Seed: Seed(3)}
	var last Certification
	looks, samples, ended := 0, uint64(0), false
	for found, err := range m.CertifyStream(ctx, request, fill(16, 0)) {
		if err != nil {
			t.Fatal(err)
		}
		open := false
		for _, c := range found.Certificates {
			open = open || c.Decision == DecisionOpen
			again, err := c.Counts.Certify(Query{Label: c.Label, K: c.K, Alpha: 0.001})
			if err != nil || again.Radius != c.Radius || c.Validity != ValidityAnytime {
				t.Errorf("%+v: %+v, %v", c, again, err)
			}
		}
		if n := found.Counts.N(); ended || n < samples || found.EarlyStop != nil || found.Interim != open {
			t.Errorf("after %d samples: %+v", samples, found)
		}
		looks, samples, ended, last = looks+1, found.Counts.N(), !open, found
	}
	whole, err := m.Certify(ctx, request, fill(16, 0))
	if err != nil || !ended || looks < 3 || whole[0].Certificates[1].Radius != last.Certificates[1].Radius {
		t.Errorf("%d looks, ended: %v, %+v, then %+v, %v", looks, ended, last, whole, err)
	}
	for answer, err := range m.CertifyAnswerStream(ctx, Request{Sigma: 0.25, N: 20_000, Rule: RuleRadius(0.05), Seed: Seed(3)}, fill(16, 0)) {
		if err != nil || len(answer.Guarantees) != 1 {
			t.Errorf("%+v, %v", answer, err)
		}
	}
}

func TestWhoeverLeavesAStreamCancelsTheRest(t *testing.T) {
	m := model(t, "exact_order.onnx")
	jobs := func() uint64 {
		stats, err := m.Stats()
		if err != nil {
			t.Fatal(err)
		}
		return stats.JobsCancelled
	}
	before := jobs()
	for found, err := range m.PredictStream(context.Background(), tied, fill(24, 0)) {
		if err != nil || found.Predictions[0].Decision != DecisionOpen || !found.Predictions[0].Abstain {
			t.Errorf("%+v, %v", found, err)
		}
		if found.Counts.N() > 50 {
			break
		}
	}
	if after := jobs(); after != before+1 {
		t.Errorf("%d jobs were cancelled, not one", after-before)
	}
}

func TestAStreamEndsWithItsContext(t *testing.T) {
	m := model(t, "linear.onnx")
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	answers, failed := 0, error(nil)
	for _, err := range m.CertifyStream(ctx, unending, fill(16, 0.9)) {
		if failed != nil {
			t.Error("an answer after the error")
		}
		if failed = err; err == nil {
			answers++
			cancel(cause)
		}
	}
	var partial *PartialError
	if answers == 0 || !errors.Is(failed, cause) || !errors.Is(failed, ErrCancelled) || !errors.As(failed, &partial) {
		t.Errorf("%d answers, then %v", answers, failed)
	}
	// At a deadline what is late has the answer of its last look.
	late, stop := context.WithTimeout(context.Background(), 2*time.Second)
	defer stop()
	var last Certification
	for found, err := range m.CertifyStream(late, unending, fill(16, 0.9)) {
		if err != nil {
			t.Fatal(err)
		}
		last = found
	}
	if !errors.Is(last.EarlyStop, ErrDeadlineExceeded) || last.Certificates[0].Decision != DecisionUndecided {
		t.Errorf("%+v", last)
	}
}

func TestWhatHasNoInterimAnswerSaysWhy(t *testing.T) {
	m, ctx := model(t, "linear.onnx"), context.Background()
	for name, test := range map[string]struct {
		request Request
		input   []float32
	}{
		"rule":   {Request{Sigma: 0.25, N: 500}, fill(16, 0)},
		"labels": {Request{Sigma: 0.25, N: 500, Labels: []int{1, 2}}, fill(16, 0)},
		"input":  {unending, fill(3, 0)},
	} {
		calls := 0
		for _, err := range m.CertifyStream(ctx, test.request, test.input) {
			var refused *Error
			if calls++; !errors.As(err, &refused) || refused.Field != name {
				t.Errorf("%s: %v", name, err)
			}
		}
		if calls != 1 {
			t.Errorf("%s: %d calls", name, calls)
		}
	}
}
