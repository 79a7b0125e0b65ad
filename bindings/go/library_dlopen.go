//go:build !smoothtopk_link

package smoothtopk

// #cgo linux LDFLAGS: -ldl
import "C"

import (
	"os"
	"path/filepath"
	"runtime"
)

// names are the library's file names, the one with this ABI's major first.
func names() []string {
	if runtime.GOOS == "darwin" {
		return []string{"libsmoothtopk.1.dylib", "libsmoothtopk.dylib"}
	}
	return []string{"libsmoothtopk.so.1", "libsmoothtopk.so"}
}

// candidates lists where Open looks, in order: a path given by the caller or the environment is the only one.
func candidates(path string) []string {
	if path == "" {
		path = os.Getenv(EnvLibrary)
	}
	if path != "" {
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			return within(path)
		}
		return []string{path}
	}
	var list []string
	if program, err := os.Executable(); err == nil {
		list = within(filepath.Dir(program))
	}
	return append(list, names()...)
}

func within(folder string) []string {
	var list []string
	for _, name := range names() {
		list = append(list, filepath.Join(folder, name))
	}
	return list
}
