package smoothtopk

//go:generate cp ../../include/smoothtopk.h smoothtopk.h

// #include <stdlib.h>
// #include "shim.h"
import "C"

import (
	"strings"
	"unsafe"
)

// EnvLibrary names the environment variable that holds the shared library's file or folder.
const EnvLibrary = "SMOOTHTOPK_LIBRARY"

// Library is the smoothtopk shared library. It stays loaded until the process ends. Its methods may be called from any
// number of goroutines. One that Open did not make panics when it is used.
type Library struct {
	table *C.shim_api // in C memory, read-only once opened, never freed
	path  string
	// blocking holds back calls that keep an operating system thread while they run.
	blocking chan struct{}
}

// maxBlocking bounds the threads that Sample takes; Certify and Predict take none.
const maxBlocking = 64

// Open loads the shared library at path, a file or a folder. An empty path means the environment variable
// SMOOTHTOPK_LIBRARY, or else the program's own folder, then wherever the system's loader looks. In a program built
// with the tag smoothtopk_link the library is linked in, and path means nothing.
//
// The error lists every place that was tried, each with the loader's reason.
func Open(path string) (*Library, error) {
	if err := wholeText("path", path); err != nil {
		return nil, err
	}
	var tried []string
	for _, candidate := range candidates(path) {
		lib := &Library{path: candidate, blocking: make(chan struct{}, maxBlocking)}
		reason := lib.load()
		if reason == "" {
			return lib, nil
		}
		C.free(unsafe.Pointer(lib.table))
		tried = append(tried, "\n\t"+candidate+": "+reason)
	}
	return nil, invalid(ErrNotFound, "library", "the shared library could not be loaded; give its path, or set "+
		EnvLibrary+" to it. Tried:"+strings.Join(tried, ""))
}

func (l *Library) load() string {
	// Zeroed. In C memory, so that cgo need not look through it for Go pointers at every call.
	l.table = (*C.shim_api)(C.calloc(1, C.sizeof_shim_api))
	path := C.CString(l.path)
	defer C.free(unsafe.Pointer(path))
	if reason := C.shim_load(path, l.table); reason != nil {
		defer C.free(unsafe.Pointer(reason))
		return C.GoString(reason)
	}
	return ""
}

// api is the library's functions. C would jump to address 0 where there are none.
func (l *Library) api() *C.shim_api {
	if l == nil || l.table == nil {
		panic("smoothtopk: a Library that Open did not make")
	}
	return l.table
}

// Path is where the library was found: a file, or a name that the system's loader resolved; empty where it is linked
// in.
func (l *Library) Path() string { return l.path }

// Version is the library's version, such as "0.1.0".
func (l *Library) Version() string { return C.GoString(C.shim_version(l.api())) }

// BuildInfo is one line: version, target, profile, compiler, features.
func (l *Library) BuildInfo() string { return C.GoString(C.shim_build_info(l.api())) }

// LoadRuntime loads ONNX Runtime from path, a file or a folder; empty means the library's search order, which starts
// with the environment variable SMOOTHTOPK_ONNXRUNTIME. A process has one ONNX Runtime, and the first one loaded stays.
// Opening a model does this by itself.
func (l *Library) LoadRuntime(path string) error {
	text, err := cString("path", path)
	if err != nil {
		return err
	}
	defer C.free(unsafe.Pointer(text))
	if path == "" {
		return l.checked(C.shim_runtime_load(l.api(), nil))
	}
	return l.checked(C.shim_runtime_load(l.api(), text))
}

// UseRuntime takes the ONNX Runtime that the process has loaded already: base is its OrtApiBase, not nil, valid until
// the process ends. To be called before any other runtime is loaded.
func (l *Library) UseRuntime(base unsafe.Pointer) error {
	return l.checked(C.shim_runtime_use_api_base(l.api(), base))
}

// RuntimeVersion is ONNX Runtime's version; it is loaded if need be.
func (l *Library) RuntimeVersion() (string, error) {
	out := C.shim_runtime_version(l.api())
	return C.GoString((*C.char)(out.value)), l.checked(out)
}

// RuntimePath is the file ONNX Runtime was loaded from, empty for the process's own; it is loaded if need be.
func (l *Library) RuntimePath() (string, error) {
	out := C.shim_runtime_path(l.api())
	return C.GoString((*C.char)(out.value)), l.checked(out)
}

// CheckProvider tells whether an execution provider ("cpu", "cuda:0", ...) can be used here; the error, of kind
// ErrProvider, says exactly what is missing.
func (l *Library) CheckProvider(provider string) error {
	text, err := cString("provider", provider)
	if err != nil {
		return err
	}
	defer C.free(unsafe.Pointer(text))
	return l.checked(C.shim_runtime_check_provider(l.api(), text))
}

// LogLevel says how much is logged.
type LogLevel int32

// The levels, from nothing to everything.
const (
	LogOff   LogLevel = C.STK_LOG_LEVEL_OFF
	LogError LogLevel = C.STK_LOG_LEVEL_ERROR
	LogWarn  LogLevel = C.STK_LOG_LEVEL_WARN
	LogInfo  LogLevel = C.STK_LOG_LEVEL_INFO
	LogDebug LogLevel = C.STK_LOG_LEVEL_DEBUG
)

// SetLog sends the library's messages up to a level to f, for the whole process; LogOff or a nil f stops them. f may be
// called from any thread while the library works: it should return soon, and a message logged meanwhile may be dropped.
func (l *Library) SetLog(level LogLevel, f func(level LogLevel, message string)) error {
	if level == LogOff || f == nil {
		err := l.checked(C.shim_log(l.api(), C.STK_LOG_LEVEL_OFF))
		if err == nil {
			logFunc.Store(nil)
		}
		return err
	}
	previous := logFunc.Swap(&f)
	err := l.checked(C.shim_log(l.api(), C.stk_log_level(level)))
	if err != nil {
		logFunc.CompareAndSwap(&f, previous)
	}
	return err
}

// crossing does next to nothing in the library: a benchmark's measure of cgo.
func (l *Library) crossing() { C.shim_version(l.api()) }
