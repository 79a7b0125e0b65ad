// Command cross draws counts that other languages add to, and certifies counts that they wrote:
//
//	cross sample MODEL SEED STREAM FIRST END OUT.json [NOISE [VALUE]]
//	cross certify COUNTS.json LABEL K ALPHA
//
// sample counts the labels of the samples FIRST up to, not including, END at an input whose elements are all VALUE (0),
// with NOISE (gaussian:0.25). certify prints the radius with all its digits.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"strconv"

	"smoothtopk"
)

func main() {
	log.SetFlags(0)
	library := must(smoothtopk.Open(""))
	switch arg := os.Args; {
	case len(arg) >= 8 && len(arg) <= 10 && arg[1] == "sample":
		sample(library, arg[2:])
	case len(arg) == 6 && arg[1] == "certify":
		certify(library, arg[2:])
	default:
		log.Fatal("usage: cross sample MODEL SEED STREAM FIRST END OUT.json [NOISE [VALUE]] | cross certify COUNTS.json LABEL K ALPHA")
	}
}

func sample(library *smoothtopk.Library, arg []string) {
	model := must(library.OpenModel(arg[0], smoothtopk.WithBatch(32)))
	defer model.Close()
	first, end := whole(arg[3]), whole(arg[4])
	if end < first {
		log.Fatalf("END %d is before FIRST %d", end, first)
	}
	request := smoothtopk.Request{Noise: "gaussian:0.25", Seed: smoothtopk.Seed(whole(arg[1])), Stream: whole(arg[2])}
	input := make([]float32, model.Info().Elements)
	if len(arg) > 6 {
		request.Noise = smoothtopk.Noise(arg[6])
	}
	if len(arg) > 7 {
		for i := range input {
			input[i] = float32(number(arg[7]))
		}
	}
	counts := must(model.Sample(context.Background(), request, input, first, end-first))
	if err := os.WriteFile(arg[5], must(counts.JSON()), 0o644); err != nil {
		log.Fatal(err)
	}
}

func certify(library *smoothtopk.Library, arg []string) {
	counts := must(library.CountsFromJSON(must(os.ReadFile(arg[0]))))
	query := smoothtopk.Query{Label: int(whole(arg[1])), K: int(whole(arg[2])), Alpha: number(arg[3])}
	fmt.Println(strconv.FormatFloat(must(counts.Certify(query)).Radius, 'g', -1, 64))
}

func whole(text string) uint64 { return must(strconv.ParseUint(text, 10, 64)) }

func number(text string) float64 { return must(strconv.ParseFloat(text, 64)) }

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}
