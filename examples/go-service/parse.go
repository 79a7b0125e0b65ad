package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"

	"smoothtopk"
)

// headerLength is the binary tensor extension's header: how much of the body is JSON.
const headerLength = "Inference-Header-Content-Length"

// inferRequest is the JSON of a request.
type inferRequest struct {
	ID         string        `json:"id"`
	Parameters parameters    `json:"parameters"`
	Inputs     []inputTensor `json:"inputs"`
	Outputs    []struct {
		Name       string     `json:"name"`
		Parameters parameters `json:"parameters"`
	} `json:"outputs"`
}

type inputTensor struct {
	Name       string          `json:"name"`
	Shape      []int           `json:"shape"`
	Datatype   string          `json:"datatype"`
	Parameters parameters      `json:"parameters"`
	Data       json.RawMessage `json:"data"`
	raw        []byte          // where the data is binary
}

// ask is a request understood.
type ask struct {
	id      string
	task    string // certify, predict or certify_answer
	request smoothtopk.Request
	inputs  [][]float32
	outputs []string        // those asked for; all but json if empty
	binary  map[string]bool // which of them in binary; "" for the rest
}

// parse reads a request's body; every error is the client's.
func (s *service) parse(body []byte, header string) (*ask, error) {
	text, blob := body, []byte(nil)
	if header != "" {
		length, err := strconv.Atoi(header)
		if err != nil || length < 0 || length > len(body) {
			return nil, badRequest("%s: %q is not a length within the body of %d bytes", headerLength, header, len(body))
		}
		text, blob = body[:length], body[length:]
	}
	var request inferRequest
	if err := json.Unmarshal(text, &request); err != nil {
		return nil, badRequest("the request is not the JSON of an inference request: %v", err)
	}
	for i := range request.Inputs {
		tensor := &request.Inputs[i]
		if size, given := tensor.Parameters["binary_data_size"]; given {
			bytes, err := strconv.Atoi(string(size))
			if err != nil || bytes < 0 || bytes > len(blob) {
				return nil, badRequest("input %q: binary_data_size %s is more than the body holds", tensor.Name, size)
			}
			tensor.raw, blob = blob[:bytes:bytes], blob[bytes:]
		}
	}
	if len(blob) > 0 {
		return nil, badRequest("%d bytes of the body belong to no input", len(blob))
	}
	a := &ask{id: request.ID, binary: map[string]bool{}}
	if err := s.parseParameters(request.Parameters, a); err != nil {
		return nil, err
	}
	for _, output := range request.Outputs {
		if !slices.Contains(outputNames, output.Name) {
			return nil, badRequest("there is no output %q; there are %s", output.Name, strings.Join(outputNames, ", "))
		}
		a.outputs = append(a.outputs, output.Name)
		if value, given := output.Parameters["binary_data"]; given {
			a.binary[output.Name] = string(value) == "true"
		}
	}
	return a, s.parseInputs(request.Inputs, a)
}

func (s *service) parseInputs(tensors []inputTensor, a *ask) error {
	found := false
	for _, tensor := range tensors {
		switch tensor.Name {
		case s.input:
			if found {
				return badRequest("input %q is there twice", tensor.Name)
			}
			found = true
			// One input may come without the batch.
			if slices.Equal(tensor.Shape, s.info.Shape) {
				tensor.Shape = append([]int{1}, tensor.Shape...)
			}
			if len(tensor.Shape) == 0 || !slices.Equal(tensor.Shape[1:], s.info.Shape) {
				return badRequest("input %q: its shape must be [batch, %s], got %v", tensor.Name, join(s.info.Shape), tensor.Shape)
			}
			if batch := tensor.Shape[0]; batch < 1 || batch > s.limits.inputs {
				return badRequest("input %q: the batch must be from 1 to %d, got %d", tensor.Name, s.limits.inputs, batch)
			}
			values, err := values[float32](tensor, "FP32", 4, func(b []byte) float32 {
				return math.Float32frombits(binary.LittleEndian.Uint32(b))
			})
			if err != nil {
				return err
			}
			a.inputs = slices.Collect(slices.Chunk(values, s.info.Elements))
		case "label":
			if len(tensor.Shape) != 1 {
				return badRequest("input \"label\": its shape must be [batch], got %v", tensor.Shape)
			}
			labels, err := values[int64](tensor, "INT64", 8, func(b []byte) int64 {
				return int64(binary.LittleEndian.Uint64(b))
			})
			if err != nil {
				return err
			}
			a.request.Labels = []int{}
			for _, label := range labels {
				a.request.Labels = append(a.request.Labels, int(label))
			}
		default:
			return badRequest("there is no input %q; there is %q, and \"label\"", tensor.Name, s.input)
		}
	}
	if !found {
		return badRequest("input %q is missing", s.input)
	}
	return nil
}

func join(dims []int) string {
	parts := make([]string, len(dims))
	for i, dim := range dims {
		parts[i] = strconv.Itoa(dim)
	}
	return strings.Join(parts, ", ")
}

// values reads a tensor's data, from JSON (flat or nested) or from bytes of a size each.
func values[T any](tensor inputTensor, datatype string, size int, decode func([]byte) T) ([]T, error) {
	if tensor.Datatype != datatype {
		return nil, badRequest("input %q: its datatype must be %s, got %q", tensor.Name, datatype, tensor.Datatype)
	}
	var list []T
	if tensor.raw != nil {
		if len(tensor.raw)%size != 0 {
			return nil, badRequest("input %q: %d bytes are no whole number of %s", tensor.Name, len(tensor.raw), datatype)
		}
		for chunk := range slices.Chunk(tensor.raw, size) {
			list = append(list, decode(chunk))
		}
	} else {
		// JSON's null would be read as 0, and so would a missing value.
		if len(tensor.Data) == 0 || bytes.ContainsAny(tensor.Data, "ntf\"{") {
			return nil, badRequest("input %q: data must be numbers", tensor.Name)
		}
		var err error
		if list, err = flatten[T](tensor.Data, len(tensor.Shape)); err != nil {
			return nil, badRequest("input %q: data: %v", tensor.Name, err)
		}
	}
	want := 1
	for _, dim := range tensor.Shape {
		if dim < 0 || dim > 1<<40 || want > 1<<40 {
			return nil, badRequest("input %q: shape %v is out of range", tensor.Name, tensor.Shape)
		}
		want *= dim
	}
	if len(list) != want {
		return nil, badRequest("input %q: shape %v takes %d values, there are %d", tensor.Name, tensor.Shape, want, len(list))
	}
	return list, nil
}

// flatten reads arrays in arrays, at most so deep.
func flatten[T any](data json.RawMessage, depth int) ([]T, error) {
	var list []T
	flat := json.Unmarshal(data, &list)
	if flat == nil || depth <= 1 {
		return list, flat
	}
	var parts []json.RawMessage
	if err := json.Unmarshal(data, &parts); err != nil || len(parts) == 0 || parts[0][0] != '[' {
		return nil, flat
	}
	list = list[:0]
	for _, part := range parts {
		inner, err := flatten[T](part, depth-1)
		if err != nil {
			return nil, err
		}
		list = append(list, inner...)
	}
	return list, nil
}
