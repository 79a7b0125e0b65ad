package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"strconv"

	"smoothtopk"
)

// allOutputs are what answers have, in this order.
var allOutputs = []struct {
	name, datatype string
	shape          []int
	tasks          []string // nil: all
}{
	{"labels", "INT64", []int{-1, -1}, nil},
	{"abstain", "BOOL", []int{-1, -1}, nil},
	{"radius", "FP64", []int{-1, -1}, []string{"certify", "certify_answer"}},
	{"first_radius", "FP64", []int{-1, -1}, []string{"certify_answer"}},
	{"ranking_radius", "FP64", []int{-1, -1}, []string{"certify_answer"}},
	{"p_value", "FP64", []int{-1, -1}, []string{"predict"}},
	{"decision", "BYTES", []int{-1, -1}, []string{"certify", "predict"}},
	{"late", "BOOL", []int{-1}, nil},
	{"samples", "UINT64", []int{-1, -1}, nil},
	{"counted", "UINT64", []int{-1}, nil},
	{"counts", "BYTES", []int{-1}, nil},
	{"json", "BYTES", []int{-1}, nil},
}

// namesOf are the outputs of a task.
func namesOf(task string) []string {
	var names []string
	for _, output := range allOutputs {
		if output.tasks == nil || slices.Contains(output.tasks, task) {
			names = append(names, output.name)
		}
	}
	return names
}

type outputTensor struct {
	Name       string         `json:"name"`
	Datatype   string         `json:"datatype"`
	Shape      []int          `json:"shape"`
	Parameters map[string]any `json:"parameters,omitempty"`
	Data       any            `json:"data,omitempty"`
}

type answer struct {
	Model   string         `json:"model_name"`
	Version string         `json:"model_version"`
	ID      string         `json:"id,omitempty"`
	Outputs []outputTensor `json:"outputs"`
	blobs   []byte
	interim bool
}

// tensors are an answer's outputs by name; their rows are the inputs.
type tensors map[string]*outputTensor

func (t tensors) set(name, datatype string, data any, shape ...int) {
	t[name] = &outputTensor{Name: name, Datatype: datatype, Shape: shape, Data: data}
}

// answer runs the request.
func (s *service) answer(ctx context.Context, a *ask) (*answer, error) {
	switch a.task {
	case "predict":
		results, err := s.model.Predict(ctx, a.request, a.inputs...)
		return laid(s, a, results, predictions, err)
	case "certify_answer":
		results, err := s.model.CertifyAnswer(ctx, a.request, a.inputs...)
		return laid(s, a, results, guarantees, err)
	default:
		results, err := s.model.Certify(ctx, a.request, a.inputs...)
		return laid(s, a, results, certificates, err)
	}
}

// laid lays results out as an answer's tensors.
func laid[T any](s *service, a *ask, results []T, lay func([]T, tensors) []smoothtopk.Evidence, err error) (*answer, error) {
	if err != nil {
		return nil, err
	}
	found := tensors{}
	rests := lay(results, found)
	if err := s.evidence(rests, found); err != nil {
		return nil, err
	}
	out := s.encode(a, found)
	out.interim = rests[0].Interim
	return out, nil
}

func certificates(results []smoothtopk.Certification, found tensors) []smoothtopk.Evidence {
	var evidence []smoothtopk.Evidence
	var labels []int64
	var abstain []bool
	var radius []float64
	var samples []uint64
	var decision []string
	for _, result := range results {
		evidence = append(evidence, result.Evidence)
		labels = append(labels, int64(result.Certificates[0].Label))
		for _, c := range result.Certificates {
			abstain, radius = append(abstain, !c.Certified), append(radius, c.Radius)
			decision, samples = append(decision, string(c.Decision)), append(samples, c.N)
		}
	}
	batch, ks := len(results), len(abstain)/len(results)
	found.set("labels", "INT64", labels, batch, 1)
	found.set("abstain", "BOOL", abstain, batch, ks)
	found.set("radius", "FP64", radius, batch, ks)
	found.set("samples", "UINT64", samples, batch, ks)
	found.set("decision", "BYTES", decision, batch, ks)
	return evidence
}

func predictions(results []smoothtopk.PredictionSet, found tensors) []smoothtopk.Evidence {
	var evidence []smoothtopk.Evidence
	var labels []int64
	var abstain []bool
	var pValue []float64
	var samples []uint64
	var decision []string
	for _, result := range results {
		evidence = append(evidence, result.Evidence)
		// The top k of a smaller k begin those of a larger one.
		longest := slices.MaxFunc(result.Predictions, func(a, b smoothtopk.Prediction) int { return a.K - b.K })
		labels = appendLabels(labels, longest.Labels)
		for _, p := range result.Predictions {
			abstain, pValue = append(abstain, p.Abstain), append(pValue, p.PValue)
			decision, samples = append(decision, string(p.Decision)), append(samples, result.Counts.N())
		}
	}
	batch, ks := len(results), len(abstain)/len(results)
	found.set("labels", "INT64", labels, batch, len(labels)/batch)
	found.set("abstain", "BOOL", abstain, batch, ks)
	found.set("p_value", "FP64", pValue, batch, ks)
	found.set("samples", "UINT64", samples, batch, ks)
	found.set("decision", "BYTES", decision, batch, ks)
	return evidence
}

// guarantees leaves the radii of each label, and of how many stay, to the json output: as a tensor they would be
// ragged, and hold infinities, which JSON does not have.
func guarantees(results []smoothtopk.CertifiedAnswer, found tensors) []smoothtopk.Evidence {
	var evidence []smoothtopk.Evidence
	var labels []int64
	var abstain []bool
	var set, first, ranking []float64
	var samples []uint64
	for _, result := range results {
		evidence = append(evidence, result.Evidence)
		longest := slices.MaxFunc(result.Guarantees, func(a, b smoothtopk.Guarantee) int { return a.K - b.K })
		labels = appendLabels(labels, longest.Labels)
		for _, g := range result.Guarantees {
			abstain, set = append(abstain, g.SetRadius == 0), append(set, g.SetRadius)
			first, ranking = append(first, g.FirstRadius), append(ranking, g.RankingRadius)
			samples = append(samples, g.N)
		}
	}
	batch, ks := len(results), len(abstain)/len(results)
	found.set("labels", "INT64", labels, batch, len(labels)/batch)
	found.set("abstain", "BOOL", abstain, batch, ks)
	found.set("radius", "FP64", set, batch, ks)
	found.set("first_radius", "FP64", first, batch, ks)
	found.set("ranking_radius", "FP64", ranking, batch, ks)
	found.set("samples", "UINT64", samples, batch, ks)
	return evidence
}

func appendLabels(list []int64, labels []int) []int64 {
	for _, label := range labels {
		list = append(list, int64(label))
	}
	return list
}

// evidence is what was counted of each input. One of several k may rest on fewer samples, those of an earlier look: its
// `samples` say so, and its counts are in the json output.
func (s *service) evidence(evidence []smoothtopk.Evidence, found tensors) error {
	var counted []uint64
	var late []bool
	var counts, records []string
	for _, e := range evidence {
		counted, late = append(counted, e.Counts.N()), append(late, e.EarlyStop != nil)
		text, err := e.Counts.JSON()
		if err != nil {
			return err
		}
		record, err := e.JSON()
		if err != nil {
			return err
		}
		counts, records = append(counts, string(text)), append(records, string(record))
	}
	batch := len(evidence)
	found.set("late", "BOOL", late, batch)
	found.set("counted", "UINT64", counted, batch)
	found.set("counts", "BYTES", counts, batch)
	found.set("json", "BYTES", records, batch)
	return nil
}

// encode picks the outputs that were asked for.
func (s *service) encode(a *ask, found tensors) *answer {
	out := &answer{Model: s.name, Version: "1", ID: a.id, Outputs: []outputTensor{}}
	for _, name := range namesOf(a.task) {
		if !slices.Contains(a.outputs, name) && (len(a.outputs) > 0 || name == "json") {
			continue
		}
		tensor := found[name]
		inBinary, said := a.binary[name]
		if !said {
			inBinary = a.binary[""]
		}
		if inBinary {
			blob := bytesOf(tensor.Data)
			tensor.Data, tensor.Parameters = nil, map[string]any{"binary_data_size": len(blob)}
			out.blobs = append(out.blobs, blob...)
		}
		out.Outputs = append(out.Outputs, *tensor)
	}
	return out
}

// bytesOf is a tensor's data in the binary extension: little-endian, texts each behind its length.
func bytesOf(data any) []byte {
	var blob []byte
	if texts, is := data.([]string); is {
		for _, text := range texts {
			blob = binary.LittleEndian.AppendUint32(blob, uint32(len(text)))
			blob = append(blob, text...)
		}
		return blob
	}
	// The slices of fixed-size values that answer makes.
	blob, err := binary.Append(nil, binary.LittleEndian, data)
	if err != nil {
		panic(err)
	}
	return blob
}

func (a *answer) write(w http.ResponseWriter) {
	deadline(w)
	if a.blobs == nil {
		reply(w, http.StatusOK, a)
		return
	}
	text, err := json.Marshal(a)
	if err != nil {
		slog.Error("an answer that is no JSON", "id", w.Header().Get(requestID), "error", err)
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set(headerLength, strconv.Itoa(len(text)))
	w.Header().Set("Content-Length", strconv.Itoa(len(text)+len(a.blobs)))
	w.Write(text)
	w.Write(a.blobs)
}
