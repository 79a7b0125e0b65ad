//go:build !smoothtopk_link

package smoothtopk

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

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
