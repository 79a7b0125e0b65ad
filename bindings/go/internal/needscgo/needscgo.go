//go:build !cgo

package needscgo

// The compiler shows this name.
const _ = smoothtopk_needs_cgo_set_CGO_ENABLED_1_and_install_a_C_compiler
