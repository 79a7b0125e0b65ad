//go:build smoothtopk_test_hooks

package smoothtopk

import (
	"errors"
	"testing"
)

func TestPanicIsAnError(t *testing.T) {
	lib := library(t)
	if err := lib.testPanic(); !errors.Is(err, ErrPanic) {
		t.Fatalf("got %v", err)
	}
	if _, err := bare(t, 90, 10).Predict(1, 0.001); err != nil {
		t.Errorf("after a panic: %v", err)
	}
}
