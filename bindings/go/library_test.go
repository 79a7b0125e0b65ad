package smoothtopk

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
)

func TestHeaderIsTheLibrarys(t *testing.T) {
	ours, err := os.ReadFile("smoothtopk.h")
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := os.ReadFile(root + "include/smoothtopk.h")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(ours, theirs) {
		t.Error("bindings/go/smoothtopk.h is not include/smoothtopk.h: run `go generate` in bindings/go")
	}
}

func TestOpenSaysWhatItIs(t *testing.T) {
	lib := library(t)
	if lib.Version() == "" || !strings.Contains(lib.BuildInfo(), lib.Version()) {
		t.Errorf("version %q, build %q", lib.Version(), lib.BuildInfo())
	}
	version, err := lib.RuntimeVersion()
	if err != nil || version == "" {
		t.Errorf("runtime %q, %v", version, err)
	}
	path, err := lib.RuntimePath()
	if err != nil || !strings.Contains(path, "onnxruntime") {
		t.Errorf("runtime at %q, %v", path, err)
	}
	if err := lib.CheckProvider("cpu"); err != nil {
		t.Error(err)
	}
	if err := lib.CheckProvider("no such provider"); err == nil {
		t.Error("a provider that does not exist can be used")
	}
}

func TestLogIsOffUntilAsked(t *testing.T) {
	lib := library(t)
	messages := make(chan string, 1000)
	if err := lib.SetLog(LogDebug, func(_ LogLevel, message string) { messages <- message }); err != nil {
		t.Fatal(err)
	}
	model(t, "linear.onnx")
	if err := lib.SetLog(LogOff, nil); err != nil {
		t.Fatal(err)
	}
	if len(messages) == 0 {
		t.Error("nothing was logged when a model was opened")
	}
	for len(messages) > 0 {
		<-messages
	}
	model(t, "linear.onnx")
	if len(messages) != 0 {
		t.Errorf("logged while off: %s", <-messages)
	}
	// A panic in the program's own log function stays there.
	if err := lib.SetLog(LogDebug, func(LogLevel, string) { panic("in a log function") }); err != nil {
		t.Fatal(err)
	}
	defer lib.SetLog(LogOff, nil)
	model(t, "linear.onnx")
	if err := lib.SetLog(LogLevel(99), func(LogLevel, string) {}); !errors.Is(err, ErrInvalidArgument) {
		t.Errorf("level 99: %v", err)
	}
}

func TestTextWithNUL(t *testing.T) {
	lib := library(t)
	for _, open := range []func() error{
		func() error { _, err := lib.OpenModel("a\x00b"); return err },
		func() error { _, err := Open(lib.Path() + "\x00.old"); return err },
		func() error { return lib.CheckProvider("cpu\x00") },
		func() error { return lib.LoadRuntime("a\x00b") },
		func() error { _, err := lib.OpenModel("m", WithInput("a\x00b")); return err },
		func() error { _, err := lib.OpenModel("m", WithProviderOption("a\x00b", "")); return err },
	} {
		if err := open(); !errors.Is(err, ErrInvalidArgument) {
			t.Errorf("got %v", err)
		}
	}
}
