package smoothtopk

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
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
		if results[0].Generator != ChaCha12 || results[0].Seed != 0 {
			t.Errorf("%+v", results[0].Evidence)
		}
		return results[0]
	}
	first, again, fresh, other := draw(0, &key), draw(ChaCha12, &key), draw(ChaCha12, nil), draw(ChaCha12, nil)
	if !slices.Equal(first.Counts, again.Counts) || !slices.Equal(first.Selection, again.Selection) {
		t.Errorf("one key gave %v, then %v", first.Counts, again.Counts)
	}
	secret := func(c Certification) string {
		text, err := c.JSON()
		if err != nil {
			t.Fatal(err)
		}
		var record struct {
			Key string `json:"chacha12_key"`
		}
		if err := json.Unmarshal(text, &record); err != nil {
			t.Fatal(err)
		}
		return record.Key
	}
	if secret(first) != hex.EncodeToString(key[:]) || secret(fresh) == secret(other) ||
		len(secret(fresh)) != 2*ChaCha12KeySize {
		t.Errorf("keys %s, %s, %s", secret(first), secret(fresh), secret(other))
	}
	sample, err := m.Sample(ctx, Request{Sigma: 0.25, ChaCha12Key: &key}, x, 0, 2000)
	if err != nil || !slices.Equal(sample.Labels, first.Counts) {
		t.Errorf("%v, %v, in one %v", sample, err, first.Counts)
	}
	philox, err := m.Predict(ctx, Request{Sigma: 0.25, N: 100, Generator: Philox, Seed: Seed(7)}, x)
	if err != nil || philox[0].Generator != Philox || philox[0].Seed != 7 {
		t.Errorf("%+v, %v", philox, err)
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
	r, c := results[0], results[0].Certificates[0]
	if r.ExactLevels != 255 || r.AlphaLeft >= r.Alpha || r.AlphaLeft < r.Alpha/2 || c.RadiusSlack != 0 || !c.Certified {
		t.Errorf("%+v, %+v", r.Evidence, c)
	}
	again, err := library(t).CertifyCounts(Counts{Labels: r.Counts, N: r.N},
		CountsRequest{Label: c.Label, K: 1, Sigma: 0.25, Alpha: r.AlphaLeft})
	if err != nil || again.Radius != c.Radius {
		t.Errorf("%v, again %v, %v", c.Radius, again.Radius, err)
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
	if err != nil || plain[0].ExactLevels != 0 || plain[0].AlphaLeft != plain[0].Alpha {
		t.Errorf("%+v, %v", plain, err)
	}
}
