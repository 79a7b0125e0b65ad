// Package needscgo cannot be compiled without cgo, and says so.
package needscgo
