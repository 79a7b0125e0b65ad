//! `smoothtopk verify`: certificates put to the test, by attacks of our own or by adversarial examples that are given.
//!
//! | file | does |
//! | --- | --- |
//! | `statement` | what a RUN says of its examples, taken apart into labels |
//! | `reopen` | opens the RUN's model and data again, and refuses others |
//! | `norm`, `space`, `ball` | norms bounded from above, and inputs that are inside a radius for certain |
//! | `candidate`, `directions`, `attack`, `search` | the search for a point where the labels leave the top k |
//! | `evaluate`, `membership`, `confirm` | noisy rows, and what they say of labels being in the top k |
//! | `verdict`, `power` | breaks against what alpha allows, and whether more could have been found |
//! | `args`, `command` | what the command takes, and which of its two modes it runs |
//! | `attacks`, `adversarial` | the modes; `report`, `save`: what they write |

mod adversarial;
mod args;
mod attack;
mod attacks;
mod ball;
mod candidate;
mod command;
mod confirm;
mod directions;
mod evaluate;
mod membership;
mod norm;
mod power;
mod reopen;
mod report;
mod save;
mod search;
mod space;
mod statement;
#[cfg(test)]
mod tests;
mod verdict;

pub use args::Args;
pub use command::run;
