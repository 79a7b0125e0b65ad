// Command example certifies a scan of a digit: go run . MODEL
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"strings"

	"smoothtopk"
)

const scan = "002ed00000aff80002g74f0004g40d7004g10a8004g51cb001fedg30003cd500" // 8 x 8 pixels, 0 to g (16)

func main() {
	library := must(smoothtopk.Open("")) // SMOOTHTOPK_LIBRARY, or where the system looks
	model := must(library.OpenModel(os.Args[1]))
	defer model.Close()
	image := make([]float32, len(scan))
	for i, pixel := range scan {
		image[i] = float32(strings.IndexRune("0123456789abcdefg", pixel)) / 16
	}
	request := smoothtopk.Request{Sigma: 0.25, K: []int{1, 3}, N: 10_000, Seed: smoothtopk.Seed(7)}
	for _, c := range must(model.Certify(context.Background(), request, image))[0].Certificates {
		fmt.Printf("label %d stays in the top %d within an l2 distance of %.3f\n", c.Label, c.K, c.Radius)
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}
