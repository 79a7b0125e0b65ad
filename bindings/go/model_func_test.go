package smoothtopk

import (
	"context"
	"errors"
	"math"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// sums is the arithmetic of exact_order.onnx.
func sums(b *Batch) error {
	for i := range b.Count {
		var scores [6]float32
		best := 0
		for c := range scores {
			for _, x := range b.Row(i)[4*c : 4*c+4] {
				scores[c] += float32(math.RoundToEven(float64(x * 64)))
			}
			if scores[c] > scores[best] {
				best = c
			}
		}
		if b.Labels != nil {
			b.Labels[i] = int64(best)
		} else {
			copy(b.Scores[6*i:], scores[:])
		}
	}
	return nil
}

func sumsFunc(classify func(*Batch) error) Func {
	return Func{Name: "sums", Shape: []int{24}, Classes: 6, Classify: classify}
}

func fromFunc(t *testing.T, f Func, opts ...Option) *Model {
	t.Helper()
	m, err := library(t).ModelFromFunc(f, append([]Option{WithBatch(32)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

func TestAFunctionGivesWhatTheFileOfItsArithmeticGives(t *testing.T) {
	seed := uint64(7)
	request := Request{Sigma: 0.25, K: []int{1, 3}, N: 2000, Seed: &seed}
	x := fill(24, 0.5, 0.625, 0.75)
	want, err := model(t, "exact_order.onnx").Certify(context.Background(), request, x)
	if err != nil {
		t.Fatal(err)
	}
	labels := sumsFunc(sums)
	labels.GivesLabels = true
	for _, f := range []Func{sumsFunc(sums), labels} {
		m := fromFunc(t, f, WithThreads(2))
		got, err := m.Certify(context.Background(), request, x)
		if err != nil {
			t.Fatal(err)
		}
		for i, certificate := range got[0].Certificates {
			if expected := want[0].Certificates[i]; certificate.Radius != expected.Radius || certificate.Label != expected.Label {
				t.Errorf("got %v, want %v", certificate, expected)
			}
		}
		if info := m.Info(); info.SHA256 != "" || info.Threads != 2 || info.Elements != 24 || info.Classes != 6 {
			t.Errorf("%+v", info)
		}
	}
}

func TestAFunctionThatFailsOrPanicsFailsItsCall(t *testing.T) {
	var does atomic.Value
	does.Store(sums)
	m := fromFunc(t, sumsFunc(func(b *Batch) error { return does.Load().(func(*Batch) error)(b) }))
	request := Request{Sigma: 0.25, N: 100}
	for says, classify := range map[string]func(*Batch) error{
		"the queue is full":    func(*Batch) error { return errors.New("the queue is full") },
		"panic: out of range":  func(*Batch) error { panic("out of range") },
		"write the scores of":  func(*Batch) error { return nil },
		strings.Repeat("x", 9): func(*Batch) error { return errors.New(strings.Repeat("x", 10000)) },
	} {
		does.Store(classify)
		_, err := m.Predict(context.Background(), request, fill(24, 0.5))
		var partial *PartialError
		if !errors.Is(err, ErrRun) || !errors.As(err, &partial) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
	}
	does.Store(sums)
	if _, err := m.Predict(context.Background(), request, fill(24, 0.5)); err != nil {
		t.Errorf("after the failures: %v", err)
	}
}

func TestAFunctionIsToldThatItsBatchIsCancelled(t *testing.T) {
	var waits, told atomic.Bool
	m := fromFunc(t, sumsFunc(func(b *Batch) error {
		for waits.Load() {
			if b.Cancelled() {
				told.Store(true)
				return nil
			}
			time.Sleep(time.Millisecond)
		}
		return sums(b)
	}))
	waits.Store(true)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if _, err := m.Predict(ctx, Request{Sigma: 0.25, N: 100}, fill(24, 0.5)); !errors.Is(err, ErrDeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	// The call does not wait for the function's return; closing does.
	m.Close()
	if !told.Load() {
		t.Error("it was not told")
	}
}

func TestFunctionsThatAreRefused(t *testing.T) {
	lib := library(t)
	good := sumsFunc(sums)
	for field, change := range map[string]func(*Func){
		"Classify": func(f *Func) { f.Classify = nil },
		"name":     func(f *Func) { f.Name = "" },
		"shape":    func(f *Func) { f.Shape = nil },
		"classes":  func(f *Func) { f.Classes = 1 },
	} {
		f := good
		change(&f)
		_, err := lib.ModelFromFunc(f)
		refused(t, field, err)
	}
	_, err := lib.ModelFromFunc(good, WithProvider("cuda"))
	refused(t, "options", err)
	calls := float32(0)
	_, err = lib.ModelFromFunc(sumsFunc(func(b *Batch) error {
		calls++
		err := sums(b)
		b.Scores[0] += 1000 * calls
		return err
	}))
	if !errors.Is(err, ErrModel) {
		t.Errorf("random scores: %v", err)
	}
}

func TestCountsOfTwoFunctionsAreAddedByTheirDigest(t *testing.T) {
	seed := uint64(7)
	request := Request{Sigma: 0.25, Seed: &seed}
	sample := func(digest string, first uint64) *Counts {
		f := sumsFunc(sums)
		f.Digest = digest
		return made(t)(fromFunc(t, f).Sample(context.Background(), request, fill(24, 0.5), first, 100))
	}
	refusedData(t, "sums", sample("", 0).Add(sample("", 100)))
	refusedData(t, "sums", sample("a", 0).Add(sample("b", 100)))
	if err := sample("a", 0).Add(sample("a", 100)); err != nil {
		t.Error(err)
	}
}
