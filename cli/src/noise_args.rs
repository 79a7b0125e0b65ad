//! Options that say which noise is added, how it is made, and its seed or key.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use smoothtopk::noise::{ExactGrid, Source};
use smoothtopk::perturbation::{Family, Gaussian};
use smoothtopk::smoothed::{Generator, NoiseMode};
use smoothtopk::{Error, Result};

/// The family of noise, with its parameter.
#[derive(clap::Args, Clone, Copy, Debug)]
pub struct FamilyArgs {
    /// Standard deviation of Gaussian noise, on the scale of the data divided by --input-scale.
    #[arg(long, short, value_name = "S", required_unless_present = "noise", conflicts_with = "noise")]
    pub sigma: Option<f64>,
    /// The noise by its family, and what radii are in. Drawn: gaussian:SIGMA (l2), which is --sigma SIGMA;
    /// uniform:LAMBDA (l1); ablate:KEEP (pixels). All rows, without chance: band:SIZE and block:SIZE (sides of
    /// patches), split:SPLITS:levels=Q (l1). docs/noise.md has their settings, as :channels=first and :value=0.5.
    #[arg(long, value_name = "FAMILY")]
    pub noise: Option<Family>,
}

impl FamilyArgs {
    /// The family.
    ///
    /// # Errors
    /// `InvalidArgument` when sigma is out of range, or neither option is given.
    pub fn family(&self) -> Result<Family> {
        match (self.noise, self.sigma) {
            (Some(family), _) => Ok(family),
            (None, Some(sigma)) => Ok(Gaussian::new(sigma)?.into()),
            (None, None) => Err(Error::argument("sigma", "--sigma or --noise is required")),
        }
    }
}

/// How noise is made, and where its bits come from.
#[derive(clap::Args, Clone, Debug, Default)]
#[command(next_help_heading = "Noise options")]
pub struct NoiseArgs {
    /// grid: float32 noise on a fine grid; exact[:LEVELS]: noise of proven distance from the Gaussian, for data that
    /// are multiples of 1/LEVELS after --input-scale [default LEVELS: --input-scale itself]
    #[arg(long, value_name = "MODE", default_value = "grid")]
    pub noise_mode: ModeName,
    /// philox: fast, by a seed; chacha12: a cipher, by a key, for adversaries who know the generator
    #[arg(long, value_name = "NAME", value_enum, default_value_t)]
    pub generator: GeneratorName,
    /// Seed of philox [default: drawn from the operating system, and kept in the RUN]
    #[arg(long)]
    pub seed: Option<u64>,
    /// Key of chacha12: 64 hexadecimal digits, or @FILE that holds them and hides them from other users of the machine
    /// [default: drawn from the operating system, and kept in the RUN]
    #[arg(long, value_name = "HEX|@FILE")]
    pub key: Option<Secret>,
}

/// `--noise-mode` as it was given.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum ModeName {
    #[default]
    Grid,
    /// With its points per unit, where they were given.
    Exact(Option<u32>),
}

impl FromStr for ModeName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let refuse = || Error::argument("noise-mode", format!("\"{text}\" is none of grid, exact, exact:LEVELS"));
        match text.split_once(':') {
            None if text == "grid" => Ok(Self::Grid),
            None if text == "exact" => Ok(Self::Exact(None)),
            Some(("exact", levels)) => Ok(Self::Exact(Some(levels.parse().map_err(|_| refuse())?))),
            _ => Err(refuse()),
        }
    }
}

impl ModeName {
    /// The mode, for data that are divided by `input_scale`.
    pub fn mode(self, input_scale: f64) -> Result<NoiseMode> {
        let levels = match self {
            Self::Grid => return Ok(NoiseMode::Grid),
            Self::Exact(Some(levels)) => levels,
            Self::Exact(None) if input_scale.fract() == 0.0 && (1.0..=f64::from(u32::MAX)).contains(&input_scale) => {
                input_scale as u32
            }
            Self::Exact(None) => {
                let message = format!(
                    "exact takes its levels from --input-scale, and {input_scale} is not a whole number: give exact:LEVELS, \
                     where the data are multiples of 1/LEVELS after scaling"
                );
                return Err(Error::argument("noise-mode", message));
            }
        };
        let grid = ExactGrid::new(levels)
            .map_err(|error| Error::argument("noise-mode", format!("exact: levels {}", error.message())))?;
        Ok(NoiseMode::Exact(grid))
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum GeneratorName {
    #[default]
    Philox,
    Chacha12,
}

/// Text that is not shown.
#[derive(Clone)]
pub struct Secret(String);

impl FromStr for Secret {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    fn source(&self) -> Result<Source> {
        match self.0.strip_prefix('@') {
            Some(file) => {
                let text = std::fs::read_to_string(file).map_err(|error| Error::io(Path::new(file), &error))?;
                Source::chacha12_from_hex(text.trim()).map_err(|error| error.prefixed(&format!("{file}: ")))
            }
            None => Source::chacha12_from_hex(&self.0),
        }
    }
}

impl NoiseArgs {
    /// The generator with the seed or key that was given, if one was.
    pub fn generator(&self) -> Result<Generator> {
        match (self.generator, self.seed, &self.key) {
            (GeneratorName::Philox, _, Some(_)) => {
                Err(Error::argument("key", "philox has a seed: give --seed, or --generator chacha12"))
            }
            (GeneratorName::Chacha12, Some(_), _) => {
                Err(Error::argument("seed", "chacha12 has a key: give --key, or leave --generator out"))
            }
            (GeneratorName::Philox, seed, None) => Ok(Generator::Philox { seed }),
            (GeneratorName::Chacha12, None, None) => Ok(Generator::ChaCha12 { key: None }),
            (GeneratorName::Chacha12, None, Some(key)) => Ok(key.source()?.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_come_from_the_input_scale_where_they_can() {
        let levels = |text: &str, scale: f64| match text.parse::<ModeName>().unwrap().mode(scale) {
            Ok(NoiseMode::Exact(grid)) => Some(grid.levels()),
            Ok(NoiseMode::Grid) => None,
            Err(error) => panic!("{error}"),
        };
        assert_eq!(
            (levels("grid", 255.0), levels("exact", 255.0), levels("exact:15", 255.0)),
            (None, Some(255), Some(15))
        );
        for (text, scale, says) in
            [("exact", 0.5, "exact:LEVELS"), ("exact:0", 1.0, "levels"), ("exact", 1e9, "levels")]
        {
            let error = text.parse::<ModeName>().unwrap().mode(scale).unwrap_err();
            assert!(error.field() == Some("noise-mode") && error.message().contains(says), "{error}");
        }
        for text in ["", "exakt", "exact:", "exact:-1", "grid:3"] {
            assert_eq!(text.parse::<ModeName>().unwrap_err().field(), Some("noise-mode"), "{text}");
        }
    }

    #[test]
    fn a_key_is_not_shown_and_a_seed_is_none() {
        let hex = "0123456789abcdef".repeat(4);
        let args = NoiseArgs { generator: GeneratorName::Chacha12, key: hex.parse().ok(), ..NoiseArgs::default() };
        assert!(!format!("{args:?}").contains("0123"));
        let Generator::ChaCha12 { key: Some(key) } = args.generator().unwrap() else { panic!("no key") };
        assert_eq!(Source::ChaCha12 { key }.secret(), hex);
        let seeded = NoiseArgs { seed: Some(1), ..args.clone() };
        assert_eq!(seeded.generator().unwrap_err().field(), Some("seed"));
        let philox = NoiseArgs { generator: GeneratorName::Philox, ..args };
        assert_eq!(philox.generator().unwrap_err().field(), Some("key"));
        let short = NoiseArgs { generator: GeneratorName::Chacha12, key: "0123".parse().ok(), ..NoiseArgs::default() };
        let error = short.generator().unwrap_err();
        assert!(error.field() == Some("key") && !error.message().contains("0123"), "{error}");
    }
}
