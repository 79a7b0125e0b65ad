package main

import (
	"encoding/binary"
	"encoding/json"
	"errors"
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
	ID         string             `json:"id"`
	Parameters parameters         `json:"parameters"`
	Inputs     list[inputTensor]  `json:"inputs"`
	Outputs    list[wantedOutput] `json:"outputs"`
}

type wantedOutput struct {
	Name       string     `json:"name"`
	Parameters parameters `json:"parameters"`
}

type inputTensor struct {
	Name       string          `json:"name"`
	Shape      list[int]       `json:"shape"`
	Datatype   string          `json:"datatype"`
	Parameters parameters      `json:"parameters"`
	Data       json.RawMessage `json:"data"`
	raw        []byte          // where the data is binary
}

// mostParts bounds what a request lists beside its tensors' data: a few bytes of text could become many of memory.
const mostParts = 1000

// list is an array, parameters an object, of at most mostParts.
type list[T any] []T

func (l *list[T]) UnmarshalJSON(text []byte) error {
	if err := fewParts(text); err != nil {
		return err
	}
	return json.Unmarshal(text, (*[]T)(l))
}

func (p *parameters) UnmarshalJSON(text []byte) error {
	if err := fewParts(text); err != nil {
		return err
	}
	return json.Unmarshal(text, (*map[string]json.RawMessage)(p))
}

// fewParts refuses an array or object, of valid JSON, with too many parts.
func fewParts(text []byte) error {
	parts, depth, inText := 0, 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			inText = !inText
		case inText && c == '\\':
			i++
		case inText:
		case c == '[' || c == '{':
			depth++
		case c == ']' || c == '}':
			depth--
		case c == ',' && depth == 1:
			if parts++; parts == mostParts {
				return badRequest("the request has a list of more than %d parts", mostParts)
			}
		}
	}
	return nil
}

// unmarshalError says in plain words what is wrong with a request's JSON.
func unmarshalError(err error) error {
	var known *httpError
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &known):
		return err
	case errors.As(err, &syntax):
		return badRequest("the request is not JSON, or too deep: see its byte %d", syntax.Offset)
	case errors.As(err, &kind) && kind.Field != "":
		return badRequest("the request's JSON: %q must not be of the kind %q", kind.Field, kind.Value)
	}
	return badRequest("the request is not the JSON of an inference request")
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
		return nil, unmarshalError(err)
	}
	for i := range request.Inputs {
		tensor := &request.Inputs[i]
		if size, given := tensor.Parameters["binary_data_size"]; given {
			bytes, err := strconv.Atoi(string(size))
			if err != nil || bytes < 0 || bytes > len(blob) {
				return nil, badRequest("input %q: binary_data_size %.40s is no number of bytes that the body holds", tensor.Name, size)
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
		// Before any work is done for it.
		if names := namesOf(a.task); !slices.Contains(names, output.Name) {
			return nil, badRequest("there is no output %q of this task; there are %s", output.Name, strings.Join(names, ", "))
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
			batch := 1
			// One input may come without the batch.
			if !slices.Equal(tensor.Shape, s.info.Shape) {
				if len(tensor.Shape) == 0 || !slices.Equal(tensor.Shape[1:], s.info.Shape) {
					return badRequest("input %q: its shape must be [batch, %s], got [%s]", tensor.Name, join(s.info.Shape), join(tensor.Shape))
				}
				batch = tensor.Shape[0]
			}
			if batch < 1 || batch > s.limits.inputs {
				return badRequest("input %q: the batch must be from 1 to %d, got %d", tensor.Name, s.limits.inputs, batch)
			}
			values, err := values(tensor, batch*s.info.Elements, float32s)
			if err != nil {
				return err
			}
			a.inputs = slices.Collect(slices.Chunk(values, s.info.Elements))
		case "label":
			if len(tensor.Shape) != 1 {
				return badRequest("input \"label\": its shape must be [batch], got %v", tensor.Shape)
			}
			if batch := tensor.Shape[0]; batch < 0 || batch > s.limits.inputs {
				return badRequest("input \"label\": there must be one for each input, got the shape [%d]", batch)
			}
			labels, err := values(tensor, tensor.Shape[0], int64s)
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

// kind is how numbers of a datatype are read.
type kind[T any] struct {
	datatype string
	size     int
	decode   func([]byte) T
	parse    func(string) (T, error)
}

var (
	float32s = kind[float32]{"FP32", 4,
		func(b []byte) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(b)) },
		func(text string) (float32, error) {
			value, err := strconv.ParseFloat(text, 32)
			return float32(value), err
		}}
	int64s = kind[int64]{"INT64", 8,
		func(b []byte) int64 { return int64(binary.LittleEndian.Uint64(b)) },
		func(text string) (int64, error) { return strconv.ParseInt(text, 10, 64) }}
)

// values reads a tensor's data, from JSON or from bytes.
func values[T any](tensor inputTensor, want int, of kind[T]) ([]T, error) {
	if tensor.Datatype != of.datatype {
		return nil, badRequest("input %q: its datatype must be %s, got %q", tensor.Name, of.datatype, tensor.Datatype)
	}
	if tensor.raw != nil {
		if len(tensor.raw) != want*of.size {
			return nil, badRequest("input %q: the shape [%s] of %s takes %d bytes, there are %d", tensor.Name,
				join(tensor.Shape), of.datatype, want*of.size, len(tensor.raw))
		}
		list := make([]T, 0, want)
		for chunk := range slices.Chunk(tensor.raw, of.size) {
			list = append(list, of.decode(chunk))
		}
		return list, nil
	}
	list, err := numbers(tensor.Data, tensor.Shape, want, of.parse)
	if err != nil {
		return nil, badRequest("input %q: data: %v", tensor.Name, err)
	}
	return list, nil
}
