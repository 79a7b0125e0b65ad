//! Stopping rules: when the samples drawn so far are enough, and what they then say.
//!
//! Pure logic. A host draws samples up to [`StopJudge::next_look`], shows the judge the counts of *all* samples so far,
//! and goes on until the judge says stop; or closes it whenever its own time is up. All but [`Rule::Fixed`] rest on
//! bounds that hold at all numbers of samples at once ([`Rule::Steps`]: at all up to the last), so every certificate
//! and every prediction given is false with probability at most alpha however and whenever the samples ended. Looks
//! follow from the terms alone, so that a run can be repeated sample by sample.
//!
//! ```
//! use smoothtopk::certificate::stop::{CertifyJudge, Decision, Look, Rule, Statement, StopJudge, Terms};
//! use smoothtopk::perturbation::Gaussian;
//! use smoothtopk::stats::{Tally, Allocation};
//!
//! let terms = Terms { rule: Rule::Radius(0.25), classes: 3, alpha: 0.001, n_max: 100_000 };
//! let statement = Statement { k: 1, allocation: Allocation::default() };
//! let mut judge = CertifyJudge::new(&terms, 2, Gaussian::new(0.25)?, 0.0, vec![statement])?;
//! let mut n = 0;
//! loop {
//!     n = judge.next_look(n);
//!     // All samples have label 2 here; a host counts what its model says.
//!     if judge.look(&Tally::new(vec![0, 0, n], n)?)? == Look::Stop {
//!         break;
//!     }
//! }
//! let verdict = &judge.verdicts()[0];
//! assert!(verdict.decision == Decision::Certified && n < 100);
//! # Ok::<(), smoothtopk::Error>(())
//! ```

mod answer;
mod certify;
mod judge;
mod look;
mod predict;
mod terms;

pub use crate::counts::{Rule, Tolerance};
pub use answer::{AnswerJudge, AnswerStatements};
pub use certify::{CertifyJudge, LabelStatements, Statement};
pub use judge::{Judge, StopJudge, Verdict};
pub use look::{Decision, Look};
pub use predict::{PredictJudge, SetStatements};
pub use terms::Terms;
