package smoothtopk

import (
	"context"
	"math"
	"slices"
	"testing"
)

func converted[T Element](values []float32, convert func(float32) T) []T {
	out := make([]T, len(values))
	for i, value := range values {
		out[i] = convert(value)
	}
	return out
}

// Numbers that every type holds are the same input in each.
func TestInputsOfEveryTypeAreTheNumbersThatTheyHold(t *testing.T) {
	m, ctx := model(t, "linear.onnx"), context.Background()
	request := Request{Sigma: 0.25, N: 500, Seed: Seed(7)}
	x := make([]float32, 16)
	for i := range x {
		x[i] = float32(i % 2)
	}
	want, err := m.Certify(ctx, request, x, fill(16, 0))
	if err != nil {
		t.Fatal(err)
	}
	same := func(name string, got []Certification, err error) {
		t.Helper()
		if err != nil || len(got) != 2 || !slices.Equal(got[0].Counts.Labels(), want[0].Counts.Labels()) ||
			!slices.Equal(got[1].Counts.Labels(), want[1].Counts.Labels()) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	got, err := Certify(ctx, m, request, converted(x, func(v float32) float64 { return float64(v) }), make([]float64, 16))
	same("float64", got, err)
	got, err = Certify(ctx, m, request, converted(x, func(v float32) uint8 { return uint8(v) }), make([]uint8, 16))
	same("uint8", got, err)
	got, err = Certify(ctx, m, request, converted(x, func(v float32) Float16 { return Float16(v * 0x3c00) }), make([]Float16, 16))
	same("float16", got, err)
	upper := func(v float32) BFloat16 { return BFloat16(math.Float32bits(v) >> 16) }
	got, err = Certify(ctx, m, request, converted(x, upper), make([]BFloat16, 16))
	same("bfloat16", got, err)
	predicted, err := Predict(ctx, m, request, make([]uint8, 16))
	plain, failed := m.Predict(ctx, request, fill(16, 0))
	if err != nil || failed != nil || !slices.Equal(predicted[0].Counts.Labels(), plain[0].Counts.Labels()) {
		t.Errorf("%+v, %v; %+v, %v", predicted, err, plain, failed)
	}
	if _, err := CertifyAnswer(ctx, m, request, make([]float64, 3)); err == nil {
		t.Error("3 elements were taken for 16")
	}
}
