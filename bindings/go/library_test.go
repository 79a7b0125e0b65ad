package smoothtopk

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
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

// compiled makes a shared library of C source.
func compiled(t *testing.T, source string) string {
	t.Helper()
	cc := os.Getenv("CC")
	if cc == "" {
		cc = "gcc"
	}
	folder := t.TempDir()
	file := filepath.Join(folder, "library.c")
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(folder, "library.so")
	if text, err := exec.Command(cc, "-shared", "-fPIC", "-o", out, file).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return out
}

func TestOpenRefuses(t *testing.T) {
	if candidates("x")[0] == "" {
		t.Skip("the library is linked in: Open opens nothing")
	}
	empty := t.TempDir()
	t.Setenv(EnvLibrary, filepath.Join(empty, "from-environment.so"))
	for _, test := range []struct{ name, path, says string }{
		{"a missing file", filepath.Join(empty, "missing.so"), "missing.so"},
		{"an empty folder", empty, names()[1]},
		{"the environment", "", "from-environment.so"},
		{"not a library", root + "demo/README.md", "README.md: "},
		{"another library", compiled(t, "int unrelated;"), "has no function stk_abi_version"},
		{"another ABI", compiled(t, "unsigned stk_abi_version(void) { return 99; }"), "ABI version 99, and this binding needs 1"},
		{"an older library", compiled(t, "unsigned stk_abi_version(void) { return 1; }"), "has no function stk_version"},
	} {
		t.Run(test.name, func(t *testing.T) {
			lib, err := Open(test.path)
			if lib != nil || !errors.Is(err, ErrNotFound) || !errors.Is(err, fs.ErrNotExist) {
				t.Fatalf("got %v, %v", lib, err)
			}
			if !strings.Contains(err.Error(), test.says) {
				t.Errorf("%q is not in: %v", test.says, err)
			}
		})
	}
}
