package smoothtopk

import (
	"context"
	"errors"
	"math"
	"testing"
)

// Of a multi-label model the counts certify sets of true labels, and nothing else.
func TestCountsOfSetsCertifySetsOfLabels(t *testing.T) {
	m := model(t, "linear.onnx", WithBaseK(2))
	counts := made(t)(m.Sample(context.Background(), ofSeed7, fill(16, 0.125), 0, 1000))
	sum, top := uint64(0), 0
	for label, count := range counts.Labels() {
		sum += count
		if count > counts.Labels()[top] {
			top = label
		}
	}
	if sum != 2000 {
		t.Fatalf("%v: each of 1000 samples has two labels", counts.Labels())
	}
	radii, err := counts.CertifyLabels([]int{top}, 1, 0.001, "")
	if err != nil || len(radii) != 1 || radii[0] < 0 {
		t.Fatal(radii, err)
	}
	if radii, err := counts.CertifyLabels([]int{0, 1}, 2, 0.001, Ranked); err != nil || !math.IsInf(radii[0], 1) || math.IsInf(radii[1], 1) {
		t.Fatal(radii, err)
	}
	var e *Error
	if _, err := counts.CertifyLabels([]int{1, 0}, 1, 0.001, ""); !errors.As(err, &e) || e.Field != "labels" {
		t.Fatal(err)
	}
	if _, err := counts.CertifyLabels(nil, 1, 0.001, ""); !errors.As(err, &e) || e.Field != "labels" {
		t.Fatal(err)
	}
	if _, err := counts.Certify(Query{Label: 0, K: 1, Alpha: 0.001}); !errors.As(err, &e) || e.Field != "counts" {
		t.Fatal(err)
	}
}
