package smoothtopk

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"regexp"
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

func TestANilOptionIsRefused(t *testing.T) {
	m, err := library(t).OpenModel(root+"tests/models/linear.onnx", WithThreads(1), nil)
	refused(t, "opts", err)
	if m != nil || !strings.Contains(err.Error(), "option 1 is nil") {
		t.Errorf("%v, %v", m, err)
	}
}

// C's names mean nothing to who writes Go.
func TestMessagesHaveGoNames(t *testing.T) {
	lib, m, x := library(t), model(t, "linear.onnx"), fill(16, 0)
	ctx := context.Background()
	for says, use := range map[string]func() error{
		"NoLabel":  func() error { _, err := m.Certify(ctx, Request{Sigma: 0.5, N: 10, Labels: []int{-2}}, x); return err },
		"LogLevel": func() error { return lib.SetLog(LogLevel(99), func(LogLevel, string) {}) },
		"Save":     func() error { _, err := lib.OpenAlphaBudget([]byte("no budget")); return err },
		"bytes":    func() error { _, err := lib.OpenModelBytes(nil); return err },
		"label":    func() error { _, err := lib.AssumeCounts(nil, Assumed{Noise: "gaussian:1"}); return err },
		"input":    func() error { _, err := m.Predict(ctx, Request{Sigma: 0.5, N: 10}); return err },
		"validity": func() error {
			_, err := lib.AssumeCounts([]uint64{1, 2}, Assumed{Noise: "gaussian:1", Validity: "x"})
			return err
		},
	} {
		err := use()
		if err == nil || !strings.Contains(err.Error(), says) || regexp.MustCompile(`(?i)stk_|\bNULL\b`).MatchString(err.Error()) {
			t.Errorf("%s: %v", says, err)
		}
	}
}

func TestWithoutCgoTheCompilerSaysSo(t *testing.T) {
	command := exec.Command("go", "build", ".")
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	text, err := command.CombinedOutput()
	if err == nil || !strings.Contains(string(text), "smoothtopk_needs_cgo_set_CGO_ENABLED_1") {
		t.Errorf("%v\n%s", err, text)
	}
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
