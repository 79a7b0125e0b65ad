package smoothtopk

// #include "shim.h"
import "C"

import (
	"strconv"
	"strings"
)

// decimal is the shortest text that is read as the same number, without an exponent, as the library writes it.
func decimal(value float64) string { return strconv.FormatFloat(value, 'f', -1, 64) }

// wholeText refuses what C would see only a part of.
func wholeText(field, text string) error {
	if strings.IndexByte(text, 0) >= 0 {
		return invalid(ErrInvalidArgument, field, "holds a NUL character")
	}
	return nil
}

// cString copies text for C, to be freed.
func cString(field, text string) (*C.char, error) {
	if err := wholeText(field, text); err != nil {
		return nil, err
	}
	return C.CString(text), nil
}

// cText is text with the NUL that C wants, in Go's memory; nil, the library's default, for an empty one.
func cText(field, text string) (*C.char, error) {
	if text == "" {
		return nil, nil
	}
	if err := wholeText(field, text); err != nil {
		return nil, err
	}
	chars := make([]C.char, len(text)+1)
	for i := range len(text) {
		chars[i] = C.char(text[i])
	}
	return &chars[0], nil
}
