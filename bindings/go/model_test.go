package smoothtopk

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func TestModelInfo(t *testing.T) {
	m := model(t, "exact_order_image.onnx", WithThreads(1), WithBatch(16))
	info := m.Info()
	if info.Elements != 24 || !slices.Equal(info.Shape, []int{3, 2, 4}) || info.Classes < 2 || info.Threads != 1 ||
		info.Batch != 16 || info.Provider != "cpu" || len(info.SHA256) != 64 || !json.Valid([]byte(info.SignatureJSON)) {
		t.Errorf("%+v", info)
	}
	m.Close()
	if m.Info().SHA256 != info.SHA256 {
		t.Error("Info changed after Close")
	}
}

func TestModelFromBytes(t *testing.T) {
	data, err := os.ReadFile(root + "tests/models/linear.onnx")
	if err != nil {
		t.Fatal(err)
	}
	m, err := library(t).OpenModelBytes(data)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	clear(data)
	if sha := model(t, "linear.onnx").Info().SHA256; m.Info().SHA256 != sha {
		t.Errorf("digest %s from memory, %s from the file", m.Info().SHA256, sha)
	}
	if _, err := m.Predict(context.Background(), Request{Sigma: 0.25, N: 100}, fill(16, 0)); err != nil {
		t.Error(err)
	}
	for _, bad := range [][]byte{nil, {}, data[:100]} {
		if _, err := library(t).OpenModelBytes(bad); err == nil {
			t.Error("bytes that are no model were opened")
		}
	}
}

func TestFallback(t *testing.T) {
	lib, path := library(t), root+"tests/models/linear.onnx"
	if lib.CheckProvider("cuda") == nil {
		t.Skip("this machine has CUDA")
	}
	opts := []Option{WithProvider("cuda"), WithDevices(0, 1), WithCUDATF32(true), WithBatch(8), WithPlanCache(false)}
	if _, err := lib.OpenModel(path, opts...); !errors.Is(err, ErrProvider) {
		t.Errorf("without a fallback: %v", err)
	}
	m, err := lib.OpenModel(path, append(opts, WithAllowFallback(true))...)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	info := m.Info()
	if info.Provider != "cpu" || info.Arithmetic != "float32" || !strings.Contains(info.Fallback, "cuda") {
		t.Errorf("%+v", info)
	}
	if own := model(t, "linear.onnx").Info(); own.Fallback != "" || own.Arithmetic != "float32" {
		t.Errorf("%+v", own)
	}
}

func TestModelOptionsReachTheLibrary(t *testing.T) {
	lib := library(t)
	for _, test := range []struct {
		file  string
		opts  []Option
		field string
	}{
		{"linear.onnx", []Option{WithProvider("")}, "provider"},
		{"linear.onnx", []Option{WithDevices(0, 0)}, "devices"},
		{"linear.onnx", []Option{WithDevices(0)}, "devices"},
		{"linear.onnx", []Option{WithCUDATF32(true)}, "cuda"},
		{"linear.onnx", []Option{WithTensorRT(true, false, "")}, "tensorrt"},
		{"linear.onnx", []Option{WithTensorRT(false, false, "engines")}, "tensorrt"},
		{"linear.onnx", []Option{WithInput("nothing")}, "input"},
		{"linear.onnx", []Option{WithOutput("nothing")}, "output"},
		{"linear.onnx", []Option{WithThreads(-1)}, "threads"},
		{"linear.onnx", []Option{WithBatch(-1)}, "batch"},
		{"linear.onnx", []Option{WithClasses(-1)}, "classes"},
		{"linear.onnx", []Option{WithInputShape(-1)}, "input_shape"},
		{"linear.onnx", []Option{WithConstant("nothing", 1)}, "constant"},
	} {
		_, err := lib.OpenModel(root+"tests/models/"+test.file, planned(test.opts...)...)
		var typed *Error
		if !errors.As(err, &typed) || typed.Field != test.field {
			t.Errorf("%s: %v", test.field, err)
		}
	}
	shaped := model(t, "image_dynamic.onnx", WithInputShape(3, 8, 8), WithNormalization([]float32{0.5}, []float32{0.5}))
	if shaped.Info().Elements != 192 {
		t.Errorf("%+v", shaped.Info())
	}
	for _, reopened := range []struct {
		file string
		opts []Option
	}{
		{"two_candidates.onnx", []Option{WithOutput("")}},
		{"label_int64.onnx", []Option{WithClasses(3)}},
		{"binary_logit.onnx", []Option{WithThreshold(0)}},
	} {
		m, err := lib.OpenModel(root+"tests/models/"+reopened.file, planned(reopened.opts...)...)
		if err != nil {
			if !strings.Contains(reopened.file, "two_candidates") {
				t.Errorf("%s: %v", reopened.file, err)
			}
			continue
		}
		m.Close()
	}
}

func TestErrorsAreTyped(t *testing.T) {
	lib := library(t)
	_, err := lib.OpenModel("no-such-file.onnx")
	if !errors.Is(err, ErrNotFound) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	_, err = lib.OpenModel(root + "tests/models/regression.onnx")
	if !errors.Is(err, ErrModel) {
		t.Errorf("a model that is no classifier: %v", err)
	}
	m := model(t, "linear.onnx")
	x, ctx := fill(16, 0), context.Background()
	for _, test := range []struct {
		field   string
		status  Status
		request Request
		inputs  [][]float32
	}{
		{"sigma", ErrInvalidArgument, Request{}, [][]float32{x}},
		{"sigma", ErrInvalidArgument, Request{Sigma: -1}, [][]float32{x}},
		{"k", ErrInvalidArgument, Request{Sigma: 1, K: []int{0}}, [][]float32{x}},
		{"k", ErrInvalidArgument, Request{Sigma: 1, K: []int{-1}}, [][]float32{x}},
		{"k", ErrInvalidArgument, Request{Sigma: 1, K: []int{}}, [][]float32{x}},
		{"k", ErrInvalidArgument, Request{Sigma: 1, K: []int{3}}, [][]float32{x}},
		{"n", ErrInvalidArgument, Request{Sigma: 1, N: -1}, [][]float32{x}},
		{"n0", ErrInvalidArgument, Request{Sigma: 1, N0: -1}, [][]float32{x}},
		{"alpha", ErrInvalidArgument, Request{Sigma: 1, Alpha: 1}, [][]float32{x}},
		{"allocation", ErrInvalidArgument, Request{Sigma: 1, Allocation: "all"}, [][]float32{x}},
		{"noise", ErrInvalidArgument, Request{Noise: "laplace:1"}, [][]float32{x}},
		{"noise", ErrInvalidArgument, Request{Noise: "gaussian:1\x00"}, [][]float32{x}},
		{"sigma", ErrInvalidArgument, Request{Noise: "gaussian:1", Sigma: 1}, [][]float32{x}},
		{"timeout", ErrInvalidArgument, Request{Sigma: 1, Timeout: -1}, [][]float32{x}},
		{"labels", ErrInvalidArgument, Request{Sigma: 1, Labels: []int{1, 2}}, [][]float32{x}},
		{"label", ErrInvalidArgument, Request{Sigma: 1, Labels: []int{3}}, [][]float32{x}},
		{"input", ErrInvalidData, Request{Sigma: 1}, [][]float32{x[:15]}},
		{"input", ErrInvalidData, Request{Sigma: 1}, [][]float32{x, nil}},
	} {
		_, err := m.Certify(ctx, test.request, test.inputs...)
		var typed *Error
		if !errors.As(err, &typed) || typed.Status != test.status || !errors.Is(err, test.status) {
			t.Errorf("%s, %+v: %v", test.field, test.request, err)
		} else if typed.Field != test.field || typed.Message == "" || !strings.Contains(err.Error(), typed.Message) {
			t.Errorf("%s: field %q, message %q", test.field, typed.Field, typed.Message)
		}
	}
	if _, err := m.Certify(ctx, Request{Sigma: 1}); !errors.Is(err, ErrInvalidArgument) {
		t.Errorf("no inputs: %v", err)
	}
	if errors.Is(ErrModel, ErrRun) || errors.Is(ErrRun, context.Canceled) || !errors.Is(ErrCancelled, context.Canceled) ||
		!errors.Is(ErrDeadlineExceeded, context.DeadlineExceeded) {
		t.Error("a status matches what it should not, or does not match what it should")
	}
	if text := Status(99).Error(); text == "" {
		t.Error("an unknown status says nothing")
	}
}

func TestUseAfterClose(t *testing.T) {
	m := model(t, "linear.onnx")
	results, err := m.Certify(context.Background(), Request{Sigma: 0.25, N: 100}, fill(16, 0))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
	}
	ctx, x := context.Background(), fill(16, 0)
	if _, err := m.Certify(ctx, Request{Sigma: 0.25}, x); err != ErrClosed {
		t.Errorf("Certify: %v", err)
	}
	if _, err := m.Predict(ctx, Request{Sigma: 0.25}, x); err != ErrClosed {
		t.Errorf("Predict: %v", err)
	}
	if _, err := m.Sample(ctx, Request{Sigma: 0.25}, x, 0, 1); err != ErrClosed {
		t.Errorf("Sample: %v", err)
	}
	text, err := results[0].JSON()
	if err != nil || !json.Valid(text) || !strings.Contains(string(text), m.Info().SHA256) {
		t.Errorf("JSON after Close: %v, %s", err, text)
	}
	if whole, err := json.Marshal(results); err != nil || !json.Valid(whole) {
		t.Errorf("json.Marshal: %v, %s", err, whole)
	}
	if _, err := (Evidence{}).JSON(); err == nil {
		t.Error("JSON of no result")
	}
}

func TestUnreachableModelsAreFreed(t *testing.T) {
	lib := library(t)
	before := nativeModels.Load()
	func() {
		for range 5 {
			m, err := lib.OpenModel(root+"tests/models/linear.onnx", planned()...)
			if err != nil {
				t.Fatal(err)
			}
			runtime.KeepAlive(m)
		}
	}()
	eventually(t, "models without Close were freed", func() bool { return nativeModels.Load() <= before })
	m := model(t, "linear.onnx")
	before = nativeModels.Load()
	m.Close()
	runtime.GC()
	if now := nativeModels.Load(); now != before-1 {
		t.Errorf("Close freed %d models", before-now)
	}
}

// The last mention of the model is the call itself: the collector must leave it alone until the call returns.
func TestModelLivesThroughItsLastCall(t *testing.T) {
	lib := library(t)
	for range 20 {
		m, err := lib.OpenModel(root+"tests/models/linear.onnx", planned()...)
		if err != nil {
			t.Fatal(err)
		}
		stop := make(chan struct{})
		go func() {
			for {
				select {
				case <-stop:
					return
				default:
					runtime.GC()
				}
			}
		}()
		_, err = m.Predict(context.Background(), Request{Sigma: 0.25, N: 20_000}, fill(16, 0))
		close(stop)
		if err != nil {
			t.Fatal(err)
		}
	}
}
