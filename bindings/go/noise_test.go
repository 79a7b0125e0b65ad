package smoothtopk

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
)

func TestChaCha12(t *testing.T) {
	m := model(t, "linear.onnx")
	ctx, x := context.Background(), fill(16, 0)
	key := [ChaCha12KeySize]byte{1, 2, 3, 255}
	draw := func(generator Generator, key *[ChaCha12KeySize]byte) Certification {
		results, err := m.Certify(ctx, Request{Sigma: 0.25, N: 2000, Generator: generator, ChaCha12Key: key}, x)
		if err != nil {
			t.Fatal(err)
		}
		return results[0]
	}
	first, again, fresh, other := draw(0, &key), draw(ChaCha12, &key), draw(ChaCha12, nil), draw(ChaCha12, nil)
	if !slices.Equal(first.Counts.Labels(), again.Counts.Labels()) || !slices.Equal(first.Selection.Labels(), again.Selection.Labels()) {
		t.Errorf("one key gave %v, then %v", first.Counts.Labels(), again.Counts.Labels())
	}
	secret := func(c Certification) string {
		text, err := c.Counts.JSONWithSecret()
		if err != nil {
			t.Fatal(err)
		}
		var form struct {
			Draws []struct{ Generator, Secret string }
		}
		if err := json.Unmarshal(text, &form); err != nil || len(form.Draws) != 1 || form.Draws[0].Generator != "chacha12" {
			t.Fatalf("%s, %v", text, err)
		}
		return form.Draws[0].Secret
	}
	if secret(first) != hex.EncodeToString(key[:]) || secret(fresh) == secret(other) ||
		len(secret(fresh)) != 2*ChaCha12KeySize {
		t.Errorf("keys %s, %s, %s", secret(first), secret(fresh), secret(other))
	}
	sample, err := m.Sample(ctx, Request{Sigma: 0.25, ChaCha12Key: &key}, x, 0, 2000)
	if err != nil || !slices.Equal(sample.Labels(), first.Counts.Labels()) {
		t.Errorf("%v, %v", sample, err)
	}
}

func TestNoiseThatContradictsItself(t *testing.T) {
	m := model(t, "linear.onnx")
	key := &[ChaCha12KeySize]byte{}
	for _, test := range []struct {
		field   string
		request Request
	}{
		{"seed", Request{Sigma: 0.25, Generator: ChaCha12, Seed: Seed(1)}},
		{"seed", Request{Sigma: 0.25, ChaCha12Key: key, Seed: Seed(1)}},
		{"chacha12_key", Request{Sigma: 0.25, Generator: Philox, ChaCha12Key: key}},
		{"generator", Request{Sigma: 0.25, Generator: 9}},
	} {
		var typed *Error
		_, err := m.Predict(context.Background(), test.request, fill(16, 0))
		if !errors.As(err, &typed) || typed.Status != ErrInvalidArgument || typed.Field != test.field {
			t.Errorf("%+v: %v", test.request, err)
		}
	}
}

func TestExactNoise(t *testing.T) {
	m := model(t, "linear.onnx")
	ctx := context.Background()
	request := Request{Sigma: 0.25, N: 5000, ExactLevels: 255, Seed: Seed(7)}
	results, err := m.Certify(ctx, request, fill(16, 0))
	if err != nil {
		t.Fatal(err)
	}
	c := results[0].Certificates[0]
	if c.AlphaLeft >= 0.001 || c.AlphaLeft < 0.0005 || c.RadiusCost != 0 || !c.Certified {
		t.Errorf("%+v", c)
	}
	again, err := c.Counts.Certify(Query{Label: c.Label, K: 1, Alpha: 0.001})
	if err != nil || again.Radius != c.Radius || again.AlphaLeft != c.AlphaLeft {
		t.Errorf("%+v, again %+v, %v", c, again, err)
	}
	if _, err := m.Certify(ctx, request, fill(16, 0.001)); !errors.Is(err, ErrInvalidData) {
		t.Errorf("an input that is not on the grid: %v", err)
	}
	for _, levels := range []uint32{1, 1<<20 + 1} {
		request.ExactLevels = levels // sigma is less than a step; too many levels
		if _, err := m.Certify(ctx, request, fill(16, 0)); !errors.Is(err, ErrInvalidArgument) {
			t.Errorf("%d levels: %v", levels, err)
		}
	}
	plain, err := m.Certify(ctx, Request{Sigma: 0.25, N: 500}, fill(16, 0))
	if err != nil || plain[0].Certificates[0].AlphaLeft != 0.001 || plain[0].Certificates[0].RadiusCost == 0 {
		t.Errorf("%+v, %v", plain, err)
	}
}

// Uniform noise from the request to the written form: radii are l1 norms, and the bounds are those of the family.
func TestUniformNoise(t *testing.T) {
	m, ctx, x := model(t, "linear.onnx"), context.Background(), fill(16, 0.125)
	request := Request{Noise: NoiseUniform(0.5), N: 2000, Seed: Seed(3)}
	results, err := m.Certify(ctx, request, x)
	if err != nil {
		t.Fatal(err)
	}
	c := results[0].Certificates[0]
	// F = p - r/(2 lambda) meets G = p' + r/(2 lambda) at r = lambda (p - p').
	if want := 0.5*(c.PLower-c.PUpper) - c.RadiusCost; !c.Certified || c.RadiusCost == 0 || math.Abs(c.Radius-want) > 1e-9 {
		t.Errorf("%+v; want a radius of %v", c, want)
	}
	text, err := made(t)(m.Sample(ctx, request, x, 0, 2000)).JSON()
	if err != nil || !strings.Contains(string(text), `"noise":"uniform:0.5"`) {
		t.Errorf("%s, %v", text, err)
	}
	again, err := made(t)(library(t).CountsFromJSON(text)).Certify(Query{Label: c.Label, K: 1, Alpha: 0.001})
	if err != nil || again.Radius != c.Radius || again.RadiusCost != c.RadiusCost {
		t.Errorf("%+v, again %+v, %v", c, again, err)
	}
	assumed := made(t)(library(t).AssumeCounts(results[0].Counts.Labels(), Assumed{Noise: "uniform:0.5", RadiusCost: c.RadiusCost}))
	if again, err = assumed.Certify(Query{Label: c.Label, K: 1, Alpha: 0.001}); err != nil || again.Radius != c.Radius {
		t.Errorf("%+v, of bare numbers %+v, %v", c, again, err)
	}
	answers, err := m.CertifyAnswer(ctx, request, x)
	if err != nil || answers[0].Guarantees[0].SetRadius <= 0 {
		t.Errorf("%+v, %v", answers, err)
	}
	request.Rule = RulePredict
	predicted, err := m.Predict(ctx, request, x)
	if err != nil || predicted[0].Predictions[0].Abstain {
		t.Errorf("%+v, %v", predicted, err)
	}
}
