package main

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"smoothtopk"
)

type parameters map[string]json.RawMessage

// mostK bounds the k of a request.
const mostK = 64

// parseParameters reads what is asked. A parameter that is not known is refused: a misspelt one must not become a
// default.
func (s *service) parseParameters(given parameters, a *ask) error {
	request := &a.request
	a.task, request.Timeout = "certify", s.limits.timeout
	timed := false
	for name, raw := range given {
		// A number may come as text: seeds are above what JSON's readers keep exactly.
		text := string(raw)
		if unquoted := ""; json.Unmarshal(raw, &unquoted) == nil {
			text = unquoted
		}
		var err error
		switch name {
		case "task":
			if a.task = text; text != "certify" && text != "predict" && text != "certify_answer" {
				return badRequest("task: must be certify, predict or certify_answer, got %.40s", raw)
			}
		case "noise":
			request.Noise = smoothtopk.Noise(text)
		case "sigma":
			request.Sigma, err = strconv.ParseFloat(text, 64)
		case "alpha":
			request.Alpha, err = positive(text)
		case "input_max":
			request.InputMax, err = positive(text)
		case "k":
			request.K = []int{}
			for part := range strings.SplitSeq(text, ",") {
				var k int
				if len(request.K) == mostK {
					return badRequest("k: there may be %d of them", mostK)
				}
				if k, err = strconv.Atoi(strings.TrimSpace(part)); err != nil {
					break
				}
				request.K = append(request.K, k)
			}
		case "n":
			request.N, err = s.samples(text)
		case "n0":
			if text == "0" {
				request.N0 = smoothtopk.SameSamples
			} else {
				request.N0, err = s.samples(text)
			}
		case "seed":
			var seed uint64
			seed, err = strconv.ParseUint(text, 10, 64)
			request.Seed = &seed
		case "stream":
			request.Stream, err = strconv.ParseUint(text, 10, 64)
		case "rule":
			request.Rule = smoothtopk.Rule(text)
		case "allocation":
			request.Allocation = smoothtopk.Allocation(text)
		case "levels":
			var levels uint64
			levels, err = strconv.ParseUint(text, 10, 32)
			request.ExactLevels = uint32(levels)
		case "generator":
			switch text {
			case "philox":
				request.Generator = smoothtopk.Philox
			case "chacha12":
				request.Generator = smoothtopk.ChaCha12
			default:
				return badRequest("generator: must be philox or chacha12, got %.40s", raw)
			}
		case "timeout":
			var micros int64
			if micros, err = strconv.ParseInt(text, 10, 64); err == nil && micros < 0 {
				return badRequest("timeout: must not be negative")
			}
			// 0 is the protocol's word for none: the server's own limit stays.
			timed = micros > 0
			if limit := s.limits.timeout.Microseconds(); timed && micros < limit {
				request.Timeout = time.Duration(micros) * time.Microsecond
			}
		case "binary_data_output":
			a.binary[""] = text == "true"
		case "priority", "sequence_id", "sequence_start", "sequence_end":
			// Of the protocol, without meaning here.
		default:
			return badRequest("there is no parameter %.40q", name)
		}
		if err != nil {
			return badRequest("%s: %.40s %s", name, raw, plain(err))
		}
	}
	if given["sigma"] == nil && given["noise"] == nil {
		return badRequest("sigma: the parameter is missing; give it, or noise")
	}
	if a.task == "predict" {
		// A server's callers wait: the samples end when the answer is settled, or when it is due.
		if request.Rule == "" {
			request.Rule = smoothtopk.RulePredict
		}
		if request.Rule != smoothtopk.RuleFixed && !timed {
			request.Timeout = min(request.Timeout, s.limits.within)
		}
	}
	return nil
}

// positive refuses 0, which a request would read as the default.
func positive(text string) (float64, error) {
	value, err := strconv.ParseFloat(text, 64)
	if err == nil && !(value > 0) {
		err = strconv.ErrRange
	}
	return value, err
}

func (s *service) samples(text string) (int64, error) {
	samples, err := strconv.ParseInt(text, 10, 64)
	if err == nil && (samples < 1 || samples > s.limits.n) {
		err = badRequest("must be from 1 to %d", s.limits.n)
	}
	return samples, err
}
