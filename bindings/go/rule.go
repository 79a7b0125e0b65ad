package smoothtopk

// Rule says when the samples of an input are enough. All but RuleFixed rest on bounds that hold at all numbers of
// samples at once, so that answers are valid at Alpha however and whenever the samples end. It is the library's text,
// which the library checks when it is used; empty means RuleFixed.
type Rule string

const (
	// RuleFixed ends after N samples.
	RuleFixed Rule = "fixed"
	// RulePredict is for Predict: it ends as soon as the top-k set is settled.
	RulePredict Rule = "predict"
)

// RuleRadius is for Certify: it ends as soon as the label is certified at a radius (finite, above 0, on the input's
// scale), or no number of samples could certify it, or none up to N.
func RuleRadius(radius float64) Rule { return Rule("radius:" + decimal(radius)) }

// RuleSteps is for Certify: it ends as soon as the largest multiple of a step (finite, at least 1e-6 sigma, on the
// input's scale) that the label is certified at is decided, which is what a curve of certified accuracy at such radii
// asks.
func RuleSteps(step float64) Rule { return Rule("steps:" + decimal(step)) }

// RuleTolerance is for Certify: it ends as soon as the samples up to N are expected to add no more than a tolerance
// (finite, 0 or more, on the input's scale) to the radius.
func RuleTolerance(tolerance float64) Rule { return Rule("tolerance:" + decimal(tolerance)) }

// RuleToleranceSigma is RuleTolerance with the tolerance in units of sigma.
func RuleToleranceSigma(tolerance float64) Rule {
	return Rule("tolerance:" + decimal(tolerance) + "sigma")
}

// Decision is what a rule decided, as records have it. Later versions may add some.
type Decision string

const (
	// DecisionNone: no rule was involved (counts alone).
	DecisionNone Decision = "none"
	// DecisionComplete: the N samples of RuleFixed were drawn.
	DecisionComplete Decision = "complete"
	// DecisionCertified: the label is certified at the radius of RuleRadius.
	DecisionCertified Decision = "certified"
	// DecisionRefuted: no number of samples could certify the radius of RuleRadius, or any radius under RuleSteps or a
	// tolerance. Wrong with probability at most Alpha.
	DecisionRefuted Decision = "refuted"
	// DecisionReached: more samples are expected to add no more than the tolerance, or none up to N could bring the
	// radius to the next step.
	DecisionReached Decision = "reached"
	// DecisionSettled: the top-k set of RulePredict is settled.
	DecisionSettled Decision = "settled"
	// DecisionUndecided: the samples ended without a decision: at N, at the deadline, or as soon as what was left of N
	// could decide nothing. The answer is sound all the same.
	DecisionUndecided Decision = "undecided"
	// DecisionOpen: an interim answer; more samples are drawn. It is sound all the same.
	DecisionOpen Decision = "open"
)
