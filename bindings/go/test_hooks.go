//go:build smoothtopk_test_hooks

package smoothtopk

// #cgo CFLAGS: -DSMOOTHTOPK_TEST_HOOKS
// #include "shim.h"
import "C"

// testPanic panics inside the library, which must have the feature test-hooks.
func (l *Library) testPanic() error { return l.checked(C.shim_test_panic(l.api(), nil)) }
