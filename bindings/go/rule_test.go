package smoothtopk

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"
)

// tied is a request about exact_order.onnx at 0, whose labels are equally likely: no rule settles it, but with
// probability 1e-50.
var tied = Request{Sigma: 0.25, N: 1_000_000_000_000, Alpha: 1e-50, Rule: RulePredict, Seed: Seed(7)}

func TestRulesDecide(t *testing.T) {
	m := model(t, "linear.onnx")
	ctx, x := context.Background(), fill(16, 0)
	for _, test := range []struct {
		rule Rule
		n    int64
		want Decision
	}{
		{"", 1000, DecisionComplete}, {RuleFixed, 1000, DecisionComplete}, {RuleRadius(0.05), 1_000_000, DecisionCertified},
		{RuleRadius(0.5), 1_000_000, DecisionRefuted}, {RuleTolerance(0.5), 1_000_000, DecisionReached},
		{RuleToleranceSigma(2), 1_000_000, DecisionReached}, {RuleSteps(0.1), 1_000_000, DecisionReached},
		{RuleRadius(0.236), 2000, DecisionUndecided},
	} {
		results, err := m.Certify(ctx, Request{Sigma: 0.25, N: test.n, Rule: test.rule, Seed: Seed(7)}, x)
		if err != nil {
			t.Errorf("%q: %v", test.rule, err)
			continue
		}
		r, c := results[0], results[0].Certificates[0]
		if c.Decision != test.want || r.EarlyStop != nil || r.SamplesDrawn < r.Counts.N() || r.Counts.N() < c.N || r.Counts.N() > uint64(test.n) {
			t.Errorf("%q: %+v, %+v", test.rule, r, c)
		}
		// What is undecided may end before all samples, once these could decide nothing.
		decided := c.Decision != DecisionComplete
		if c.Decision != DecisionUndecided && decided != (r.SamplesDrawn < uint64(test.n)) {
			t.Errorf("%q: %d samples of %d drawn", test.rule, r.SamplesDrawn, test.n)
		}
		if c.Decision == DecisionCertified && c.Radius < 0.05 {
			t.Errorf("certified at %v", c.Radius)
		}
	}
	results, err := m.Predict(ctx, Request{Sigma: 0.25, Rule: RulePredict, Seed: Seed(7)}, x)
	if err != nil {
		t.Fatal(err)
	}
	p := results[0].Predictions[0]
	if p.Decision != DecisionSettled || p.Abstain || p.PValue > 0.001 || results[0].Counts.N() >= 100_000 {
		t.Errorf("%+v", results[0])
	}
	tied := tied
	tied.N = 5000
	results, err = model(t, "exact_order.onnx").Predict(ctx, tied, fill(24, 0))
	if err != nil {
		t.Fatal(err)
	}
	p = results[0].Predictions[0]
	if p.Decision != DecisionUndecided || !p.Abstain || results[0].EarlyStop != nil || results[0].Counts.N() != 5000 {
		t.Errorf("all samples, and no decision: %+v", results[0])
	}
}

// A certificate that a rule ended is that of its counts with bounds that hold at all looks.
func TestRadiiUnderARuleComeAgainFromTheCounts(t *testing.T) {
	m, earlier := model(t, "linear.onnx"), 0
	for rule, validity := range map[Rule]Validity{
		RuleTolerance(0.02): ValidityAnytime, RuleSteps(0.02): ValidityAnytimeTo(50_000)} {
		request := Request{Sigma: 0.25, K: []int{1, 2}, N: 50_000, Rule: rule, Seed: Seed(3)}
		results, err := m.Certify(context.Background(), request, fill(16, 0))
		if err != nil {
			t.Fatal(err)
		}
		r := results[0]
		for _, c := range r.Certificates {
			if c.N != r.Counts.N() {
				earlier++
			}
			again, err := c.Counts.Certify(Query{Label: c.Label, K: c.K, Alpha: 0.001, Allocation: c.Allocation})
			if again.Decision = c.Decision; err != nil || c.Validity != validity || again != c {
				t.Errorf("%s: %+v, again %+v, %v", rule, c, again, err)
			}
		}
	}
	if earlier == 0 {
		t.Error("no certificate is of an earlier look")
	}
}

func TestLateAnswersUnderARule(t *testing.T) {
	m := model(t, "exact_order.onnx")
	const soon = 400 * time.Millisecond
	for name, limits := range map[string]struct{ deadline, timeout time.Duration }{
		"the context's deadline": {soon, 0}, "the context's deadline before the timeout": {soon, time.Hour},
		"the timeout": {0, soon}, "the timeout before the context's deadline": {time.Hour, soon},
	} {
		ctx := context.Background()
		if limits.deadline > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, limits.deadline)
			defer cancel()
		}
		request := tied
		request.Timeout = limits.timeout
		results, err := m.Predict(ctx, request, fill(24, 0), fill(24, 0))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, r := range results {
			if p := r.Predictions[0]; r.Err != nil || !errors.Is(r.EarlyStop, ErrDeadlineExceeded) ||
				!errors.Is(r.EarlyStop, context.DeadlineExceeded) || p.Decision != DecisionUndecided || !p.Abstain ||
				len(p.Labels) != 1 || r.Counts.N() == 0 || sum(r.Counts.Labels()) != r.Counts.N() || r.SamplesDrawn < r.Counts.N() {
				t.Errorf("%s: %+v", name, r)
			}
		}
	}
	late := Request{Sigma: 0.25, N: 1_000_000_000_000, Rule: RuleTolerance(0), Timeout: 400 * time.Millisecond}
	results, err := model(t, "linear.onnx").Certify(context.Background(), late, fill(16, 0))
	if err != nil {
		t.Fatal(err)
	}
	if c := results[0].Certificates[0]; results[0].EarlyStop == nil || c.Decision != DecisionUndecided || !c.Certified {
		t.Errorf("a late certificate: %+v", results[0])
	}
}

// A run of this model takes seconds: the deadline comes before the first look.
func TestDeadlineBeforeTheFirstLook(t *testing.T) {
	m := model(t, "slow.onnx", WithBatch(4))
	request := Request{Sigma: 0.25, N: 1_000_000, InputMax: 256, Rule: RulePredict}
	cause := errors.New("the cause")
	ctx, cancel := context.WithTimeoutCause(context.Background(), 50*time.Millisecond, cause)
	defer cancel()
	results, err := m.Predict(ctx, request, fill(m.Info().Elements, 200))
	var partial *PartialError
	if results != nil || !errors.Is(err, cause) || !errors.Is(err, ErrDeadlineExceeded) || !errors.As(err, &partial) {
		t.Fatalf("%v, %v", results, err)
	}
	if p := partial.Predictions[0]; p.Err == nil || p.EarlyStop == nil || p.Predictions != nil {
		t.Errorf("%+v", p)
	}
	request.Timeout = 50 * time.Millisecond
	far, cancelFar := context.WithTimeoutCause(context.Background(), time.Hour, cause)
	defer cancelFar()
	_, err = m.Predict(far, request, fill(m.Info().Elements, 200))
	if !errors.Is(err, ErrDeadlineExceeded) || errors.Is(err, cause) {
		t.Errorf("the timeout: %v", err)
	}
}

// Cancelling is no deadline: what the looks had is not given as an answer.
func TestCancelUnderARule(t *testing.T) {
	m := model(t, "exact_order.onnx")
	cause := errors.New("the cause")
	deadline, cancelDeadline := context.WithTimeout(context.Background(), time.Hour)
	defer cancelDeadline()
	for _, parent := range []context.Context{context.Background(), deadline} {
		ctx, cancel := context.WithCancelCause(parent)
		time.AfterFunc(50*time.Millisecond, func() { cancel(cause) })
		_, err := m.Predict(ctx, tied, fill(24, 0))
		var partial *PartialError
		if !errors.Is(err, cause) || !errors.Is(err, ErrCancelled) || !errors.As(err, &partial) {
			t.Fatal(err)
		}
		if p := partial.Predictions[0]; p.Err == nil || !errors.Is(p.EarlyStop, ErrCancelled) || p.Predictions != nil {
			t.Errorf("%+v", p)
		}
	}
	time.AfterFunc(50*time.Millisecond, func() { m.Close() })
	if _, err := m.Predict(deadline, tied, fill(24, 0)); !errors.Is(err, ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}

func TestRulesThatAreRefused(t *testing.T) {
	m := model(t, "linear.onnx")
	ctx, x := context.Background(), fill(16, 0)
	ask := func(rule Rule) Request { return Request{Sigma: 0.25, N: 1000, Rule: rule} }
	for _, rule := range []Rule{
		"forever", "radius", RuleRadius(0), RuleRadius(-1), RuleTolerance(-1), RulePredict, "fixed\x00",
	} {
		var typed *Error
		_, err := m.Certify(ctx, ask(rule), x)
		if !errors.As(err, &typed) || typed.Status != ErrInvalidArgument || typed.Field != "rule" {
			t.Errorf("Certify by %q: %v", rule, err)
		}
	}
	var typed *Error
	if _, err := m.Predict(ctx, ask(RuleRadius(1)), x); !errors.As(err, &typed) || typed.Field != "rule" {
		t.Errorf("Predict by a radius: %v", err)
	}
	if _, err := m.CertifyAnswer(ctx, ask(RuleSteps(0.1)), x); !errors.As(err, &typed) || typed.Field != "rule" {
		t.Errorf("CertifyAnswer by steps: %v", err)
	}
}

// Whatever the rule says, Sample draws its samples; they are those that Certify draws.
func TestSampleTakesNoRule(t *testing.T) {
	m := model(t, "linear.onnx")
	ctx, x := context.Background(), fill(16, 0.125)
	request := Request{Sigma: 0.25, N: 100_000, Rule: RuleTolerance(0.05), Seed: Seed(5)}
	results, err := m.Certify(ctx, request, x)
	if err != nil {
		t.Fatal(err)
	}
	counts, err := m.Sample(ctx, request, x, 0, results[0].Counts.N())
	if err != nil || !slices.Equal(counts.Labels(), results[0].Counts.Labels()) {
		t.Errorf("%v, %v; by the rule %v", counts, err, results[0].Counts)
	}
}
