package main

import (
	"bytes"
	"errors"
	"slices"
	"strconv"
)

// numbers reads a tensor's data: valid JSON, of arrays alone or in arrays. They are as the shape says, or flat.
func numbers[T any](text []byte, shape []int, want int, number func(string) (T, error)) ([]T, error) {
	if len(text) == 0 || text[0] != '[' || bytes.ContainsAny(text, "ntf\"{") {
		return nil, errors.New("must be arrays of numbers")
	}
	ragged := errors.New("has arrays of different sizes or depths beside each other")
	var list []T
	var open, dims []int // sizes of the arrays that have not ended, and of those at each depth
	leaf := 0            // the depth of the numbers; 0: there was none yet
	grow := func() {
		if len(open) > 0 {
			open[len(open)-1]++
		}
	}
	for len(text) > 0 {
		size := 1
		switch text[0] {
		case ',', ' ', '\t', '\r', '\n':
		case '[':
			if leaf != 0 && len(open) >= leaf {
				return nil, ragged
			}
			grow()
			if open = append(open, 0); len(open) > len(shape)+1 {
				return nil, errors.New("has more arrays in each other than its shape")
			}
			if len(open) > len(dims) {
				dims = append(dims, -1)
			}
		case ']':
			depth := len(open) - 1
			if dims[depth] >= 0 && dims[depth] != open[depth] {
				return nil, ragged
			}
			dims[depth], open = open[depth], open[:depth]
		default:
			// An end there is: numbers stand in arrays.
			size = bytes.IndexAny(text, ",] \t\r\n")
			if leaf == 0 {
				leaf = len(open)
			}
			if len(open) != leaf || len(dims) != leaf {
				return nil, ragged
			}
			if len(list) == want {
				return nil, errors.New("has more than " + strconv.Itoa(want) + " values")
			}
			value, err := number(string(text[:size]))
			if err != nil {
				return nil, errors.New(string(text[:min(size, 40)]) + " " + plain(err))
			}
			grow()
			list = append(list, value)
		}
		text = text[size:]
	}
	if !slices.Equal(dims, shape) && !slices.Equal(dims, []int{want}) {
		return nil, errors.New("has the shape [" + join(dims) + "], the tensor [" + join(shape) + "]")
	}
	return list, nil
}

// plain says what is wrong with a number.
func plain(err error) string {
	switch {
	case errors.Is(err, strconv.ErrSyntax):
		return "is not such a number"
	case errors.Is(err, strconv.ErrRange):
		return "is out of range"
	}
	return err.Error()
}
