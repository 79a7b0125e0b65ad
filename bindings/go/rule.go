package smoothtopk

// #include "shim.h"
import "C"

import "fmt"

// Rule says when the rows of an input are enough. All but RuleFixed rest on bounds that hold at all numbers of rows at
// once, so that answers are valid at Alpha however and whenever the rows end. It is the library's text, which the library
// checks when it is used; empty means RuleFixed.
type Rule string

const (
	// RuleFixed ends after N rows.
	RuleFixed Rule = "fixed"
	// RulePredict is for Predict: it ends as soon as the top-k set is settled.
	RulePredict Rule = "predict"
)

// RuleRadius is for Certify: it ends as soon as the label is certified at a radius (finite, above 0, on the input's
// scale), or no number of rows could certify it, or none up to N.
func RuleRadius(radius float64) Rule { return Rule("radius:" + decimal(radius)) }

// RuleSteps is for Certify: it ends as soon as the largest multiple of a step (finite, at least 1e-6 sigma, on the input's scale) that the
// label is certified at is decided, which is what a curve of certified accuracy at such radii asks.
func RuleSteps(step float64) Rule { return Rule("steps:" + decimal(step)) }

// RuleTolerance is for Certify: it ends as soon as the rows up to N are expected to add no more than a tolerance (finite,
// 0 or more, on the input's scale) to the radius.
func RuleTolerance(tolerance float64) Rule { return Rule("tolerance:" + decimal(tolerance)) }

// RuleToleranceSigma is RuleTolerance with the tolerance in units of sigma.
func RuleToleranceSigma(tolerance float64) Rule {
	return Rule("tolerance:" + decimal(tolerance) + "sigma")
}

// Decision is what a rule decided. Later versions may add some.
type Decision int32

const (
	// DecisionNone: there is no answer, or no rule was involved (counts alone).
	DecisionNone Decision = C.STK_DECISION_NONE
	// DecisionComplete: the N rows of RuleFixed were drawn.
	DecisionComplete Decision = C.STK_DECISION_COMPLETE
	// DecisionCertified: the label is certified at the radius of RuleRadius.
	DecisionCertified Decision = C.STK_DECISION_CERTIFIED
	// DecisionRefuted: no number of rows could certify the radius of RuleRadius, or any radius under RuleSteps or a
	// tolerance. Wrong with probability at most Alpha.
	DecisionRefuted Decision = C.STK_DECISION_REFUTED
	// DecisionReached: more rows are expected to add no more than the tolerance, or none up to N could bring the radius to
	// the next step.
	DecisionReached Decision = C.STK_DECISION_REACHED
	// DecisionSettled: the top-k set of RulePredict is settled.
	DecisionSettled Decision = C.STK_DECISION_SETTLED
	// DecisionUndecided: the rows ended without a decision: at N, at the deadline, or as soon as what was left of N could
	// decide nothing. The answer is sound all the same.
	DecisionUndecided Decision = C.STK_DECISION_UNDECIDED
)

var decisionNames = map[Decision]string{
	DecisionNone: "none", DecisionComplete: "complete", DecisionCertified: "certified", DecisionRefuted: "refuted",
	DecisionReached: "reached", DecisionSettled: "settled", DecisionUndecided: "undecided",
}

// String is the decision's name as the library's records have it, such as certified.
func (d Decision) String() string {
	if name, known := decisionNames[d]; known {
		return name
	}
	return fmt.Sprintf("Decision(%d)", int32(d))
}
