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

var outputNames = []string{"labels", "abstain", "radius", "p_value", "counts", "json"}

type outputTensor struct {
	Name       string         `json:"name"`
	Datatype   string         `json:"datatype"`
	Shape      []int          `json:"shape"`
	Parameters map[string]any `json:"parameters,omitempty"`
	Data       any            `json:"data,omitempty"`
}

type answer struct {
	Model      string         `json:"model_name"`
	Version    string         `json:"model_version"`
	ID         string         `json:"id,omitempty"`
	Parameters map[string]any `json:"parameters"`
	Outputs    []outputTensor `json:"outputs"`
	blobs      []byte
}

// answer runs the request.
func (s *service) answer(ctx context.Context, a *ask) (*answer, error) {
	tensors := map[string]*outputTensor{}
	batch := len(a.inputs)
	var ks int
	var evidence []smoothtopk.Evidence
	var labels []int64
	var abstain []bool
	if a.certify {
		results, err := s.model.Certify(ctx, a.request, a.inputs...)
		if err != nil {
			return nil, err
		}
		var radius []float64
		for _, result := range results {
			evidence = append(evidence, result.Evidence)
			labels = append(labels, int64(result.Certificates[0].Label))
			for _, c := range result.Certificates {
				abstain, radius = append(abstain, !c.Certified), append(radius, c.Radius)
			}
		}
		ks = len(abstain) / batch
		tensors["radius"] = &outputTensor{Datatype: "FP64", Shape: []int{batch, ks}, Data: radius}
	} else {
		results, err := s.model.Predict(ctx, a.request, a.inputs...)
		if err != nil {
			return nil, err
		}
		var pValue []float64
		for _, result := range results {
			evidence = append(evidence, result.Evidence)
			// The top k of a smaller k begin those of a larger one.
			longest := slices.MaxFunc(result.Predictions, func(a, b smoothtopk.Prediction) int { return a.K - b.K })
			for _, label := range longest.Labels {
				labels = append(labels, int64(label))
			}
			for _, p := range result.Predictions {
				abstain, pValue = append(abstain, p.Abstain), append(pValue, p.PValue)
			}
		}
		ks = len(abstain) / batch
		tensors["p_value"] = &outputTensor{Datatype: "FP64", Shape: []int{batch, ks}, Data: pValue}
	}
	tensors["labels"] = &outputTensor{Datatype: "INT64", Shape: []int{batch, len(labels) / batch}, Data: labels}
	tensors["abstain"] = &outputTensor{Datatype: "BOOL", Shape: []int{batch, ks}, Data: abstain}
	var counts []uint64
	var texts []string
	for _, e := range evidence {
		counts = append(counts, e.Counts...)
		text, err := e.JSON()
		if err != nil {
			return nil, err
		}
		texts = append(texts, string(text))
	}
	tensors["counts"] = &outputTensor{Datatype: "UINT64", Shape: []int{batch, s.info.Classes}, Data: counts}
	tensors["json"] = &outputTensor{Datatype: "BYTES", Shape: []int{batch}, Data: texts}

	out := &answer{Model: s.name, Version: "1", ID: a.id, Outputs: []outputTensor{}, Parameters: map[string]any{
		"seed": strconv.FormatUint(evidence[0].Seed, 10), "n": evidence[0].N,
	}}
	for _, name := range outputNames {
		tensor, there := tensors[name]
		asked := slices.Contains(a.outputs, name)
		if asked && !there {
			return nil, badRequest("output %q is not of this task", name)
		}
		if !there || !asked && (len(a.outputs) > 0 || name == "json") {
			continue
		}
		tensor.Name = name
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
	return out, nil
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
	if a.blobs == nil {
		reply(w, http.StatusOK, a)
		return
	}
	text, err := json.Marshal(a)
	if err != nil {
		slog.Error("an answer that is no JSON", "error", err)
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set(headerLength, strconv.Itoa(len(text)))
	w.Header().Set("Content-Length", strconv.Itoa(len(text)+len(a.blobs)))
	w.Write(text)
	w.Write(a.blobs)
}
