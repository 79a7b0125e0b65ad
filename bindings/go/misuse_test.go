package smoothtopk

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
)

// What nothing opened is a panic with a reason, not a jump to address 0 in C.
func TestWhatWasNotOpenedSaysSo(t *testing.T) {
	ctx := context.Background()
	for name, use := range map[string]func(){
		"Open: Version":            func() { new(Library).Version() },
		"Open: nil":                func() { (*Library)(nil).Version() },
		"Open: OpenModel":          func() { new(Library).OpenModel("m.onnx") },
		"Open: AssumeCounts":       func() { new(Library).AssumeCounts([]uint64{9, 1}, Assumed{Noise: "gaussian:1"}) },
		"Counts: Certify":          func() { new(Counts).Certify(Query{K: 1, Alpha: 0.1}) },
		"Counts: nil":              func() { (*Counts)(nil).Labels() },
		"Counts: Add":              func() { new(Counts).Add(nil) },
		"Open: NewAlphaBudget":     func() { new(Library).NewAlphaBudget(1, ScheduleSlow) },
		"Open: SetLog":             func() { new(Library).SetLog(LogOff, nil) },
		"OpenModel: Info":          func() { new(Model).Info() },
		"OpenModel: nil":           func() { (*Model)(nil).Close() },
		"OpenModel: Predict":       func() { new(Model).Predict(ctx, Request{Sigma: 1}) },
		"OpenModel: Sample":        func() { new(Model).Sample(ctx, Request{Sigma: 1}, nil, 0, 1) },
		"NewAlphaBudget: Left":     func() { new(AlphaBudget).Left() },
		"NewAlphaBudget: nil Draw": func() { (*AlphaBudget)(nil).Draw(1) },
	} {
		func() {
			defer func() {
				maker, _, _ := strings.Cut(name, ":")
				if text, _ := recover().(string); !strings.Contains(text, maker) {
					t.Errorf("%s: %q", name, text)
				}
			}()
			use()
		}()
	}
}

func TestNilContextIsRefused(t *testing.T) {
	m, x := model(t, "linear.onnx"), fill(16, 0)
	var none context.Context
	_, err := m.Certify(none, Request{Sigma: 0.5, N: 10}, x)
	refused(t, "ctx", err)
	_, err = m.Sample(none, Request{Sigma: 0.5}, x, 0, 1)
	refused(t, "ctx", err)
}

// A copy outlives what it was copied from, which the garbage collector would free the model with.
func TestACopiedModelIsTheSame(t *testing.T) {
	m, err := library(t).OpenModel(root+"tests/models/linear.onnx", planned()...)
	if err != nil {
		t.Fatal(err)
	}
	open := nativeModels.Load()
	keep := *m
	m = nil
	for range 5 {
		runtime.GC()
		if _, err := keep.Predict(context.Background(), Request{Sigma: 0.5, N: 10}, fill(16, 0)); err != nil {
			t.Fatal(err)
		}
	}
	// Another test's may go meanwhile, but no more may be open.
	if now := nativeModels.Load(); now > open {
		t.Errorf("%d models were open, now %d", open, now)
	}
	keep.Close()
	if _, err := keep.Predict(context.Background(), Request{Sigma: 0.5}, fill(16, 0)); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}
