package smoothtopk

// #include <stdint.h>
import "C"

import (
	"runtime/cgo"
	"sync/atomic"
)

// smoothtopkGoDone is called once per job, on one of the library's threads: it only closes the job's channel.
//
//export smoothtopkGoDone
func smoothtopkGoDone(handle C.uintptr_t) {
	close(cgo.Handle(handle).Value().(chan struct{}))
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
