package smoothtopk

// #include <stdbool.h>
// #include <stdint.h>
import "C"

import (
	"runtime/cgo"
	"sync/atomic"
	"unsafe"
)

// smoothtopkGoDone is called once per job, on one of the library's threads: it only closes the job's channel.
//
//export smoothtopkGoDone
func smoothtopkGoDone(handle C.uintptr_t) {
	close(cgo.Handle(handle).Value().(chan struct{}))
}

// smoothtopkGoClassify is called for each batch of a model from a function.
//
//export smoothtopkGoClassify
func smoothtopkGoClassify(handle C.uintptr_t, batch unsafe.Pointer) C.bool {
	return C.bool(classifyBatch(cgo.Handle(handle), batch))
}

// smoothtopkGoFree is called once for a model from a function, which is called no more.
//
//export smoothtopkGoFree
func smoothtopkGoFree(handle C.uintptr_t) {
	cgo.Handle(handle).Delete()
}

// logFunc is process-wide, as the library's log is.
var logFunc atomic.Pointer[func(LogLevel, string)]

//export smoothtopkGoLog
func smoothtopkGoLog(level C.int32_t, message *C.char) {
	// A panic would unwind into the library: it ends here, and the log line with it.
	defer func() { _ = recover() }()
	if f := logFunc.Load(); f != nil {
		(*f)(LogLevel(level), C.GoString(message))
	}
}
