package smoothtopk

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

const root = "../../"

// openLibrary is where SMOOTHTOPK_LIBRARY says, or what was built last in this repository.
var openLibrary = sync.OnceValues(func() (*Library, error) {
	if _, set := os.LookupEnv(EnvLibrary); set {
		return Open("")
	}
	for _, profile := range []string{"release", "debug"} {
		if lib, err := Open(root + "target/" + profile); err == nil {
			return lib, nil
		}
	}
	return Open("")
})

func library(t testing.TB) *Library {
	t.Helper()
	lib, err := openLibrary()
	if err != nil {
		t.Fatal(err)
	}
	if _, set := os.LookupEnv("SMOOTHTOPK_ONNXRUNTIME"); !set {
		path, err := filepath.Abs(root + ".deps/onnxruntime")
		if err != nil {
			t.Fatal(err)
		}
		if err := lib.LoadRuntime(path); err != nil {
			t.Fatalf("run `make setup` first: %v", err)
		}
	}
	return lib
}

// planned spares a test the measuring of the best threads and batch, which takes a second.
func planned(opts ...Option) []Option {
	return append([]Option{WithThreads(2), WithBatch(32)}, opts...)
}

func model(t testing.TB, name string, opts ...Option) *Model {
	t.Helper()
	m, err := library(t).OpenModel(root+"tests/models/"+name, planned(opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// fill makes an input of one value, except for what comes first.
func fill(elements int, value float32, first ...float32) []float32 {
	x := make([]float32, elements)
	for i := range x {
		x[i] = value
	}
	copy(x, first)
	return x
}

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for start := time.Now(); !holds(); time.Sleep(time.Millisecond) {
		runtime.GC()
		if time.Since(start) > 20*time.Second {
			t.Fatal("never: " + what)
		}
	}
}

// bare are counts of bare numbers, of Gaussian noise with sigma 0.25.
func bare(t testing.TB, labels ...uint64) *Counts {
	t.Helper()
	return made(t)(library(t).AssumeCounts(labels, Assumed{Noise: "gaussian:0.25"}))
}

// made fails the test where there is an error.
func made(t testing.TB) func(*Counts, error) *Counts {
	return func(counts *Counts, err error) *Counts {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return counts
	}
}

// refused tests that an error has this field.
func refused(t *testing.T, field string, err error) {
	t.Helper()
	var typed *Error
	if !errors.As(err, &typed) || typed.Field != field {
		t.Errorf("%s: %v", field, err)
	}
}

// refusedData tests that an error is about data, and says this.
func refusedData(t *testing.T, says string, err error) {
	t.Helper()
	if !errors.Is(err, ErrInvalidData) || !strings.Contains(err.Error(), says) {
		t.Errorf("want invalid data that says %q, got %v", says, err)
	}
}
