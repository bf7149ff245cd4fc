//! The settings that may be tried: every key of `[tune]` is a dimension.

use polytask_data::Random;
use polytask_model::config::{Config, ConfigError, Problem, Range, Template, Values, dotted};
use toml::Value;

/// A place in one dimension.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Coordinate {
    /// One of the choices, by its place.
    Choice(usize),
    /// A number's place between the least (0) and the greatest (1).
    Unit(f64),
}

/// A coordinate for each dimension.
pub type Point = Vec<Coordinate>;

/// All that may be tried.
#[derive(Clone, Debug)]
pub struct Space {
    template: Template,
    dimensions: Vec<Range>,
}

/// Draws of the other dimensions that a value must all fail with to be one that goes with nothing.
const PARTNERS: u64 = 200;

impl Space {
    /// The space that a config's `[tune]` describes. Every least and greatest number and every choice is tried on the
    /// config, so that none of them fails in the middle of the search for what can be known before.
    ///
    /// # Errors
    /// The config is wrong, there is no `[tune]`, a key in it is none of the config or not to be tuned, a value does not
    /// fit its key, or goes with none of the others.
    pub fn new(template: Template) -> Result<Self, ConfigError> {
        let base = template.config()?;
        let locate = |problem: Problem| template.locate(problem);
        let dimensions = base.tune.ranges().map_err(locate)?;
        if dimensions.is_empty() {
            let problem = Problem::new(&["tune"], "the section [tune] is missing or empty: there is nothing to tune");
            let hint =
                "for example `[tune]` and below it `train.learning_rate = { low = 1e-4, high = 1e-2, log = true }`";
            return Err(locate(problem.hint(hint.to_owned())));
        }
        for range in &dimensions {
            if let Some(why) = fixed(&range.key) {
                let message = format!("`{}` cannot be tuned: {why}", dotted(&range.key));
                return Err(locate(Problem { key: range.place.clone(), message, hint: None, at_value: false }));
            }
        }
        let space = Space { template, dimensions };
        space.check().map_err(|problem| space.template.locate(problem))?;
        Ok(space)
    }

    /// The keys with their values.
    pub fn dimensions(&self) -> &[Range] {
        &self.dimensions
    }

    /// The config as it stands.
    ///
    /// # Errors
    /// None, as it has been read before.
    pub fn base(&self) -> Result<Config, ConfigError> {
        self.template.with([]).map_err(|problem| self.template.locate(problem))
    }

    /// A point anywhere, all as likely.
    pub fn draw(&self, random: &mut Random) -> Point {
        let coordinate = |range: &Range| match &range.values {
            Values::Choices(choices) => Coordinate::Choice(random.below(choices.len() as u64) as usize),
            _ => Coordinate::Unit(random.unit()),
        };
        self.dimensions.iter().map(coordinate).collect()
    }

    /// What each key is set to at a point.
    pub fn values(&self, point: &[Coordinate]) -> Vec<Value> {
        self.dimensions.iter().zip(point).map(|(range, at)| value(&range.values, *at)).collect()
    }

    /// The config at a point.
    ///
    /// # Errors
    /// Its values do not go together.
    pub(crate) fn config(&self, point: &[Coordinate]) -> Result<Config, Problem> {
        self.with(&self.values(point))
    }

    /// The config with a value for each dimension.
    ///
    /// # Errors
    /// They do not go together.
    pub(crate) fn with(&self, values: &[Value]) -> Result<Config, Problem> {
        let config = self.template.with(self.dimensions.iter().zip(values).map(|(range, v)| (&range.key[..], v)))?;
        config.problem()?;
        Ok(config)
    }

    /// Whether every value fits its key, and goes with some of the others.
    fn check(&self) -> Result<(), Problem> {
        for (d, range) in self.dimensions.iter().enumerate() {
            let ends: Vec<(Coordinate, Vec<String>)> = match &range.values {
                Values::Choices(choices) => {
                    (0..choices.len()).map(|i| (Coordinate::Choice(i), below(range, &i.to_string()))).collect()
                }
                _ => vec![(Coordinate::Unit(0.0), below(range, "low")), (Coordinate::Unit(1.0), below(range, "high"))],
            };
            for (end, place) in ends {
                let own = value(&range.values, end);
                let here = |problem: Problem, around: bool| {
                    // An unknown key is wrong whatever the value.
                    let unknown = problem.message.starts_with("unknown key");
                    let message = match around {
                        true => format!(
                            "{own} for `{}` goes with none of the others: {}",
                            dotted(&range.key),
                            problem.message
                        ),
                        false => problem.message,
                    };
                    let key = if unknown { range.place.clone() } else { place.clone() };
                    Problem { key, message, hint: problem.hint, at_value: !unknown }
                };
                self.template.with([(&range.key[..], &own)]).map_err(|problem| here(problem, false))?;
                let mut random = Random::numbered(0, d as u64);
                let mut fits = Ok(());
                for _ in 0..PARTNERS {
                    let mut point = self.draw(&mut random);
                    point[d] = end;
                    fits = self.config(&point).map(|_| ());
                    if fits.is_ok() || self.dimensions.len() == 1 {
                        break;
                    }
                }
                fits.map_err(|problem| here(problem, self.dimensions.len() > 1))?;
            }
        }
        Ok(())
    }
}

fn below(range: &Range, part: &str) -> Vec<String> {
    range.place.iter().cloned().chain([part.to_owned()]).collect()
}

/// Why a key is not to be tuned, if it is not.
fn fixed(key: &[String]) -> Option<&'static str> {
    match key.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["data", ..] => Some("trials are compared on the same rows"),
        ["tune", ..] => Some("it says what is tuned"),
        ["train", "seed"] => Some("a seed is luck, not a setting"),
        ["train", "criterion", ..] => Some("it is what the trials are compared by"),
        ["tasks"] | ["tasks", _] | ["tasks", _, "kind" | "column" | "over"] => {
            Some("trials are compared by how well they predict the same")
        }
        _ => None,
    }
}

/// Numbers keep four significant digits, which is finer than any training can tell apart.
fn value(values: &Values, at: Coordinate) -> Value {
    match (values, at) {
        (Values::Choices(choices), Coordinate::Choice(i)) => choices[i].clone(),
        (Values::Integer { low, high, log }, Coordinate::Unit(unit)) => {
            let (from, to) = (*low as f64, *high as f64 + 1.0);
            let raw = if *log { from * (to / from).powf(unit) } else { from + unit * (to - from) };
            Value::Integer((raw.floor() as i64).clamp(*low, *high))
        }
        (Values::Real { low, high, log }, Coordinate::Unit(unit)) => {
            let raw = if *log { low * (high / low).powf(unit) } else { low + unit * (high - low) };
            let rounded = format!("{raw:.3e}").parse().unwrap_or(raw);
            Value::Float(f64::clamp(rounded, *low, *high))
        }
        (_, Coordinate::Choice(_) | Coordinate::Unit(_)) => unreachable!("a point of another space"),
    }
}
