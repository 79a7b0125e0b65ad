//! The format of `cases.txt`: `key value` lines between `case NAME` and `end`.

use std::fmt::Write as _;

use smoothtopk::noise::Source;

#[derive(Clone, Debug, Default)]
pub struct Case {
    pub name: String,
    pub task: String,
    pub model: Option<String>,
    pub threshold: Option<f64>,
    pub classes: Option<usize>,
    pub sigma: Option<f64>,
    pub noise: Option<String>,
    pub k: Option<Vec<usize>>,
    pub n: Option<u64>,
    pub n0: Option<u64>,
    pub alpha: Option<f64>,
    pub bound: Option<String>,
    pub rule: Option<String>,
    pub allocation: Option<String>,
    pub randomized: bool,
    pub validity: Option<String>,
    pub levels: Option<u32>,
    pub chacha12: Option<[u8; 32]>,
    pub seed: Option<u64>,
    pub key: Option<u64>,
    pub input_max: Option<f64>,
    pub label: Option<i64>,
    pub input: Vec<f32>,
    pub counts: Vec<u64>,
    pub pilot: Vec<u64>,
    pub radius_cost: Option<f64>,
    pub expect: Answer,
    /// The lines that make the request, as they stand in the file.
    request: Vec<String>,
}

/// What a case answers; empty where the task has no such thing.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    pub status: String,
    pub field: String,
    pub counts: Vec<u64>,
    pub selection: Vec<u64>,
    pub label: Option<i64>,
    pub radius: Vec<f64>,
    pub labels: Vec<Vec<i64>>,
    pub abstain: Vec<u8>,
    pub p_value: Vec<f64>,
    pub decision: Vec<String>,
    pub rows: Vec<u64>,
    pub allocation: Vec<String>,
    pub alpha_left: Option<f64>,
    pub label_radii: Vec<Vec<f64>>,
    pub kept_radii: Vec<Vec<f64>>,
    pub first_radius: Vec<f64>,
    pub ranking_radius: Vec<f64>,
}

impl PartialEq for Answer {
    /// Bit for bit: as it is written.
    fn eq(&self, other: &Self) -> bool {
        self.lines() == other.lines()
    }
}

impl Answer {
    /// The lines of the file.
    fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut line = |key: &str, value: String| {
            if !value.is_empty() {
                lines.push(format!("expect {key} {value}"));
            }
        };
        let lists = |lists: &[Vec<f64>]| lists.iter().map(|list| join(list, to_hex)).collect::<Vec<_>>().join(";");
        line("status", self.status.clone());
        line("field", self.field.clone());
        line("counts", join(&self.counts, ToString::to_string));
        line("selection", join(&self.selection, ToString::to_string));
        line("label", self.label.map(|label| label.to_string()).unwrap_or_default());
        line("radius", join(&self.radius, to_hex));
        let labels = self.labels.iter().map(|labels| join(labels, ToString::to_string)).collect::<Vec<_>>();
        line("labels", labels.join(";"));
        line("abstain", join(&self.abstain, ToString::to_string));
        line("p_value", join(&self.p_value, to_hex));
        line("decision", self.decision.join(","));
        line("rows", join(&self.rows, ToString::to_string));
        line("allocation", self.allocation.join(";"));
        line("alpha_left", self.alpha_left.as_ref().map(to_hex).unwrap_or_default());
        line("label_radii", lists(&self.label_radii));
        line("kept_radii", lists(&self.kept_radii));
        line("first_radius", join(&self.first_radius, to_hex));
        line("ranking_radius", join(&self.ranking_radius, to_hex));
        lines
    }
}

impl Case {
    pub fn k(&self) -> Vec<usize> {
        self.k.clone().unwrap_or_else(|| vec![1])
    }

    /// The text of the noise. A case without it asks for nothing that depends on it.
    pub fn noise_text(&self) -> String {
        self.noise.clone().unwrap_or_else(|| format!("gaussian:{:?}", self.sigma.unwrap_or(1.0)))
    }

    /// Whether the case says how its rows end, and so expects what was decided.
    pub fn decides(&self) -> bool {
        self.rule.is_some()
    }

    /// Whether the case says how alpha is spent, and so expects what was applied.
    pub fn spends(&self) -> bool {
        self.allocation.is_some() && self.task == "certify"
    }

    /// How alpha is split, where the case says so.
    pub fn allocation_text(&self) -> Option<&str> {
        self.allocation.as_deref().or(self.bound.as_deref())
    }

    /// The uniform of randomized bounds that counts are asked for.
    pub fn uniform(&self) -> Option<f64> {
        self.validity.as_deref()?.strip_prefix("randomized:").map(number)
    }

    /// Why bare numbers ended; `None` for a number that was fixed.
    pub fn ending(&self) -> Option<&str> {
        self.validity.as_deref().filter(|_| self.uniform().is_none())
    }
}

/// The comment at the head, and the cases.
pub fn read(text: &str) -> (String, Vec<Case>) {
    let head = text.lines().take_while(|line| line.starts_with('#')).map(|line| format!("{line}\n")).collect();
    let mut cases = Vec::new();
    let mut open: Option<Case> = None;
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (key, value) = line.split_once(' ').unwrap_or((line, ""));
        match (key, &mut open) {
            ("case", None) => open = Some(Case { name: value.to_owned(), ..Case::default() }),
            ("end", Some(_)) => cases.extend(open.take()),
            ("expect", Some(case)) => {
                let (key, value) = value.split_once(' ').unwrap_or((value, ""));
                read_expect(&mut case.expect, key, value);
            }
            (_, Some(case)) => {
                read_request(case, key, value);
                case.request.push(line.to_owned());
            }
            _ => panic!("{line} stands outside a case"),
        }
    }
    assert!(open.is_none(), "the last case has no end");
    (head, cases)
}

fn list<T>(value: &str, one: impl Fn(&str) -> T) -> Vec<T> {
    value.split(',').filter(|item| !item.is_empty()).map(one).collect()
}

fn number<T: std::str::FromStr>(value: &str) -> T {
    value.parse().unwrap_or_else(|_| panic!("{value} is no number of the kind wanted"))
}

fn read_request(case: &mut Case, key: &str, value: &str) {
    match key {
        "task" => case.task = value.to_owned(),
        "model" => case.model = Some(value.to_owned()),
        "threshold" => case.threshold = Some(hex(value)),
        "classes" => case.classes = Some(number(value)),
        "sigma" => case.sigma = Some(hex(value)),
        "noise" => case.noise = Some(value.to_owned()),
        "k" => case.k = Some(list(value, number)),
        "n" => case.n = Some(number(value)),
        "n0" => case.n0 = Some(number(value)),
        "alpha" => case.alpha = Some(hex(value)),
        "bound" => case.bound = Some(value.to_owned()),
        "rule" => case.rule = Some(value.to_owned()),
        "allocation" => case.allocation = Some(value.to_owned()),
        "randomized" => case.randomized = number::<u8>(value) != 0,
        "validity" => case.validity = Some(value.to_owned()),
        "levels" => case.levels = Some(number(value)),
        "chacha12" => {
            let Ok(Source::ChaCha12 { key }) = Source::chacha12_from_hex(value) else {
                panic!("{value} is no key of ChaCha12")
            };
            case.chacha12 = Some(key);
        }
        "seed" => case.seed = Some(number(value)),
        "key" => case.key = Some(number(value)),
        "input_max" => case.input_max = Some(hex(value)),
        "label" => case.label = Some(number(value)),
        "input" => case.input = list(value, |item| hex(item) as f32),
        "counts" => case.counts = list(value, number),
        "pilot" => case.pilot = list(value, number),
        "radius_cost" => case.radius_cost = Some(hex(value)),
        _ => panic!("{}: the key {key} is unknown", case.name),
    }
}

fn read_expect(expect: &mut Answer, key: &str, value: &str) {
    match key {
        "status" => expect.status = value.to_owned(),
        "field" => expect.field = value.to_owned(),
        "counts" => expect.counts = list(value, number),
        "selection" => expect.selection = list(value, number),
        "label" => expect.label = Some(number(value)),
        "radius" => expect.radius = list(value, hex),
        "labels" => expect.labels = value.split(';').map(|labels| list(labels, number)).collect(),
        "abstain" => expect.abstain = list(value, number),
        "p_value" => expect.p_value = list(value, hex),
        "decision" => expect.decision = list(value, str::to_owned),
        "rows" => expect.rows = list(value, number),
        "allocation" => expect.allocation = value.split(';').map(str::to_owned).collect(),
        "alpha_left" => expect.alpha_left = Some(hex(value)),
        "label_radii" => expect.label_radii = value.split(';').map(|radii| list(radii, hex)).collect(),
        "kept_radii" => expect.kept_radii = value.split(';').map(|radii| list(radii, hex)).collect(),
        "first_radius" => expect.first_radius = list(value, hex),
        "ranking_radius" => expect.ranking_radius = list(value, hex),
        _ => panic!("the expectation {key} is unknown"),
    }
}

pub fn write(head: &str, cases: &[Case]) -> String {
    let mut out = head.to_owned();
    for case in cases {
        let _ = write!(out, "\ncase {}\n", case.name);
        case.request.iter().for_each(|line| out += &format!("{line}\n"));
        case.expect.lines().iter().for_each(|line| out += &format!("{line}\n"));
        out += "end\n";
    }
    out
}

fn join<T>(values: &[T], one: impl Fn(&T) -> String) -> String {
    values.iter().map(one).collect::<Vec<_>>().join(",")
}

/// A C99 hexadecimal float.
fn hex(text: &str) -> f64 {
    match text {
        "nan" => return f64::NAN,
        "inf" => return f64::INFINITY,
        "-inf" => return f64::NEG_INFINITY,
        _ => {}
    }
    let wrong = || format!("{text} is no hexadecimal float");
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (mantissa, exponent) =
        digits.strip_prefix("0x").and_then(|rest| rest.split_once('p')).unwrap_or_else(|| panic!("{}", wrong()));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let bits = u64::from_str_radix(&format!("{whole}{fraction}"), 16).unwrap_or_else(|_| panic!("{}", wrong()));
    assert!(bits < 1 << 53, "{text} has more digits than a double");
    let exponent = number::<i32>(exponent) - 4 * fraction.len() as i32;
    // Two steps, each exact: the first keeps subnormal results from being rounded twice.
    let value = bits as f64 * 2f64.powi(exponent / 2) * 2f64.powi(exponent - exponent / 2);
    if negative { -value } else { value }
}

fn to_hex(value: &f64) -> String {
    let bits = value.to_bits();
    let (exponent, fraction) = ((bits >> 52 & 0x7ff) as i32, bits & ((1 << 52) - 1));
    let sign = if value.is_sign_negative() { "-" } else { "" };
    if value.is_nan() || value.is_infinite() {
        return if value.is_nan() { "nan".into() } else { format!("{sign}inf") };
    }
    let (lead, exponent) = match (exponent, fraction) {
        (0, 0) => (0, 0),
        (0, _) => (0, -1022),
        _ => (1, exponent - 1023),
    };
    let digits = format!("{fraction:013x}");
    let digits = digits.trim_end_matches('0');
    let point = if digits.is_empty() { "" } else { "." };
    format!("{sign}0x{lead}{point}{digits}p{exponent:+}")
}

#[test]
fn hexadecimal_floats_round_trip() {
    for value in [0.0, -0.0, 1.0, 0.1, -1.5, 1e-300, 5e-324, f64::MAX, f64::MIN_POSITIVE, 1.0 / 3.0, 1e300] {
        assert_eq!(hex(&to_hex(&value)).to_bits(), value.to_bits(), "{value} {}", to_hex(&value));
    }
    assert_eq!((hex("0x1p-2"), hex("0x1.8p+1"), hex("-0x0.8p0")), (0.25, 3.0, -0.5));
}
