//go:build !cgo

package smoothtopk

// It stops the compiler before it comes to this package, in which all would be undefined.
import _ "smoothtopk/internal/needscgo"
