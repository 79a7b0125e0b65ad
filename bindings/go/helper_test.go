package smoothtopk

import (
	"os"
	"path/filepath"
	"runtime"
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

// drawn are counts of rows that all had a label.
func drawn(labels ...uint64) Counts { return Counts{Labels: labels, N: sum(labels)} }
