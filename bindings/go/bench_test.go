package smoothtopk

import (
	"context"
	"testing"

	"smoothtopk/internal/cbench"
)

// What a call costs beyond the library's work: one sample of a small model, from C in C's own loop and from Go.

const benchModel = root + "tests/models/linear.onnx"

func benchRequest() Request { return Request{Sigma: 0.25, N: 1, Seed: Seed(7)} }

func BenchmarkPredictFromC(b *testing.B) {
	// Loads ONNX Runtime too.
	path := library(b).Path()
	bench, err := cbench.Open(path, benchModel, 16)
	if err != nil {
		b.Fatal(err)
	}
	defer bench.Close()
	b.Run("blocking", func(b *testing.B) { bench.Blocking(b.N) })
	b.Run("submit", func(b *testing.B) { bench.Submit(b.N) })
}

func BenchmarkPredict(b *testing.B) {
	m := model(b, "linear.onnx", WithThreads(1), WithBatch(1))
	x, ctx := fill(16, 0), context.Background()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Predict(ctx, benchRequest(), x); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSample(b *testing.B) {
	m := model(b, "linear.onnx", WithThreads(1), WithBatch(1))
	x, ctx := fill(16, 0), context.Background()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Sample(ctx, benchRequest(), x, 0, 1); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCertifyCounts(b *testing.B) {
	counts := bare(b, 3, 7, 990)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := counts.Certify(Query{Label: 2, K: 1, Alpha: 0.001}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCrossing(b *testing.B) {
	lib := library(b)
	for b.Loop() {
		lib.crossing()
	}
}
