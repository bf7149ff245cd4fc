//! Predictions in the person's units.

use super::classes::largest;
use super::digits::rounded;
use super::labels::Truth;
use polytask_data::text::{Frame, Span};

/// Predictions of one task for several rows.
#[derive(Clone, Debug, PartialEq)]
pub enum Prediction {
    /// Quantities or rates, one a row.
    Numbers(Vec<f64>),
    /// Classes.
    Classes {
        /// The labels of the classes.
        labels: Vec<String>,
        /// `rows x classes`.
        probabilities: Vec<f64>,
        /// Which of them is said of a row.
        said: Said,
    },
    /// Labelled spans of each row's tokens, in order.
    Spans(Vec<Vec<Span>>),
    /// Classes of each row's tokens.
    Tokens {
        /// The labels of the classes.
        labels: Vec<String>,
        /// By row and token.
        classes: Vec<Vec<u32>>,
    },
    /// Predicates of each row, with what the task says of them: that they are there, their senses or their arguments.
    Frames(Vec<Vec<Frame>>),
    /// The dependency tree of each row's tokens.
    Arcs {
        /// The relations.
        labels: Vec<String>,
        /// By row and token, the place of the head in the sentence; a token that is its own head is the root.
        heads: Vec<Vec<u32>>,
        /// By row and token.
        relations: Vec<Vec<u32>>,
    },
    /// Any number of labels.
    Labels {
        /// The labels.
        labels: Vec<String>,
        /// That a row has them, `rows x labels`.
        probabilities: Vec<f64>,
        /// By label, the probability from which on it is said; none: 0.5.
        thresholds: Vec<f64>,
        /// What stands between them when they are written.
        separator: String,
    },
    /// Shares that an event has not come to.
    Survival {
        /// By when, rising.
        times: Vec<f64>,
        /// `rows x times`, falling along the times.
        alive: Vec<f64>,
    },
    /// Classes of the pixels of each row's image.
    PixelClasses {
        /// The labels of the classes.
        labels: Vec<String>,
        /// Height and width of an image.
        size: [usize; 2],
        /// `rows x height x width`
        classes: Vec<u8>,
    },
    /// Quantities of the pixels of each row's image.
    PixelNumbers {
        /// Height and width of an image.
        size: [usize; 2],
        /// `rows x height x width`
        values: Vec<f32>,
    },
}

/// Which of several classes is said, given their probabilities.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Said {
    /// The likeliest, the first of equals.
    #[default]
    Likeliest,
    /// Of two the second, from this probability of it on.
    Above(f64),
    /// The first by which half of the probability is spent: the median of classes in an order.
    Middle,
}

impl Prediction {
    /// The number of rows.
    pub fn len(&self) -> usize {
        match self {
            Prediction::Numbers(values) => values.len(),
            Prediction::Classes { labels, probabilities, .. } | Prediction::Labels { labels, probabilities, .. } => {
                probabilities.len() / labels.len().max(1)
            }
            Prediction::Survival { times, alive } => alive.len() / times.len().max(1),
            Prediction::Spans(rows) => rows.len(),
            Prediction::Tokens { classes, .. } => classes.len(),
            Prediction::Frames(rows) => rows.len(),
            Prediction::Arcs { heads, .. } => heads.len(),
            Prediction::PixelClasses { size: [height, width], classes, .. } => classes.len() / (height * width).max(1),
            Prediction::PixelNumbers { size: [height, width], values } => values.len() / (height * width).max(1),
        }
    }

    /// Adds the predictions of further rows of the same task.
    pub fn append(&mut self, more: Prediction) {
        use Prediction as P;
        match (self, more) {
            (P::Numbers(all), P::Numbers(more)) => all.extend(more),
            (P::Classes { probabilities: all, .. }, P::Classes { probabilities: more, .. })
            | (P::Labels { probabilities: all, .. }, P::Labels { probabilities: more, .. }) => all.extend(more),
            (P::Survival { alive: all, .. }, P::Survival { alive: more, .. }) => all.extend(more),
            (P::Spans(all), P::Spans(more)) => all.extend(more),
            (P::Tokens { classes: all, .. }, P::Tokens { classes: more, .. }) => all.extend(more),
            (P::PixelClasses { classes: all, .. }, P::PixelClasses { classes: more, .. }) => all.extend(more),
            (P::PixelNumbers { values: all, .. }, P::PixelNumbers { values: more, .. }) => all.extend(more),
            (P::Frames(all), P::Frames(more)) => all.extend(more),
            (P::Arcs { heads, relations, .. }, P::Arcs { heads: more, relations: their, .. }) => {
                heads.extend(more);
                relations.extend(their);
            }
            // A task makes one kind of prediction.
            (
                P::Numbers(_)
                | P::Classes { .. }
                | P::Labels { .. }
                | P::Survival { .. }
                | P::Spans(_)
                | P::Tokens { .. }
                | P::Frames(_)
                | P::Arcs { .. }
                | P::PixelClasses { .. }
                | P::PixelNumbers { .. },
                _,
            ) => {}
        }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The predictions of `rows`, in their order; those past the end are left out.
    pub fn select(&self, rows: &[u32]) -> Prediction {
        let at = || rows.iter().map(|row| *row as usize);
        let wide = |values: &[f64], width: usize| -> Vec<f64> {
            at().flat_map(|row| values.get(row * width..(row + 1) * width).unwrap_or_default()).copied().collect()
        };
        match self {
            Prediction::Numbers(values) => Prediction::Numbers(wide(values, 1)),
            Prediction::Classes { labels, probabilities, said } => Prediction::Classes {
                labels: labels.clone(),
                probabilities: wide(probabilities, labels.len()),
                said: *said,
            },
            Prediction::Survival { times, alive } => {
                Prediction::Survival { times: times.clone(), alive: wide(alive, times.len()) }
            }
            Prediction::Spans(spans) => Prediction::Spans(at().filter_map(|row| spans.get(row).cloned()).collect()),
            Prediction::Tokens { labels, classes } => Prediction::Tokens {
                labels: labels.clone(),
                classes: at().filter_map(|row| classes.get(row).cloned()).collect(),
            },
            Prediction::Frames(frames) => Prediction::Frames(at().filter_map(|row| frames.get(row).cloned()).collect()),
            Prediction::Arcs { labels, heads, relations } => Prediction::Arcs {
                labels: labels.clone(),
                heads: at().filter_map(|row| heads.get(row).cloned()).collect(),
                relations: at().filter_map(|row| relations.get(row).cloned()).collect(),
            },
            Prediction::Labels { labels, probabilities, thresholds, separator } => Prediction::Labels {
                labels: labels.clone(),
                probabilities: wide(probabilities, labels.len()),
                thresholds: thresholds.clone(),
                separator: separator.clone(),
            },
            Prediction::PixelClasses { labels, size, classes } => {
                let image = |row: usize| classes.chunks_exact(size[0] * size[1]).nth(row).unwrap_or_default();
                Prediction::PixelClasses {
                    labels: labels.clone(),
                    size: *size,
                    classes: at().flat_map(image).copied().collect(),
                }
            }
            Prediction::PixelNumbers { size, values } => {
                let image = |row: usize| values.chunks_exact(size[0] * size[1]).nth(row).unwrap_or_default();
                Prediction::PixelNumbers { size: *size, values: at().flat_map(image).copied().collect() }
            }
        }
    }

    /// The index of the class that is said of every row; empty where a row has no class.
    pub fn classes(&self) -> Vec<u32> {
        match self {
            Prediction::Classes { labels, probabilities, said } => {
                probabilities.chunks_exact(labels.len().max(1)).map(|row| said.of(row)).collect()
            }
            Prediction::Numbers(_)
            | Prediction::Survival { .. }
            | Prediction::Spans(_)
            | Prediction::Tokens { .. }
            | Prediction::Frames(_)
            | Prediction::Arcs { .. }
            | Prediction::Labels { .. }
            | Prediction::PixelClasses { .. }
            | Prediction::PixelNumbers { .. } => Vec::new(),
        }
    }

    /// The label of the class that is said of a row; empty where it has none.
    pub fn class(&self, row: usize) -> &str {
        let Prediction::Classes { labels, probabilities, said } = self else { return "" };
        let own = probabilities.get(row * labels.len()..(row + 1) * labels.len()).unwrap_or_default();
        labels.get(said.of(own) as usize).map_or("", String::as_str)
    }

    /// The labels that are said of a row; none of other predictions.
    pub fn likely_labels(&self, row: usize) -> Vec<&str> {
        let Prediction::Labels { labels, probabilities, thresholds, .. } = self else { return Vec::new() };
        let own = probabilities.get(row * labels.len()..(row + 1) * labels.len()).unwrap_or_default();
        let least = |i: usize| thresholds.get(i).copied().unwrap_or(0.5);
        let there = labels.iter().zip(own).enumerate().filter(|(i, (_, p))| **p >= least(*i));
        there.map(|(_, (label, _))| label.as_str()).collect()
    }

    /// By row the time that the event is expected at, where the last of the times stands for all later ones: the area under the
    /// shares that it has not come to, 1 at time 0 and straight between the times. Empty of other predictions.
    pub fn expected_times(&self) -> Vec<f64> {
        let Prediction::Survival { times, alive } = self else { return Vec::new() };
        let row = |alive: &[f64]| {
            let (mut before, mut left, mut area) = (0.0, 1.0, 0.0);
            for (time, share) in times.iter().zip(alive) {
                area += (time - before) * 0.5 * (left + share);
                (before, left) = (*time, *share);
            }
            rounded(area, area)
        };
        alive.chunks_exact(times.len().max(1)).map(row).collect()
    }

    /// Numbers and labels of the rows that have one. Both are empty where the kinds differ.
    pub fn known_numbers(&self, truth: &Truth) -> (Vec<f64>, Vec<f64>) {
        match (truth, self) {
            (Truth::Numbers(truth), Prediction::Numbers(predicted)) => {
                truth.iter().copied().zip(predicted.iter().copied()).filter(|(y, _)| !y.is_nan()).unzip()
            }
            _ => Default::default(),
        }
    }

    /// Labels, predicted classes and probabilities of the rows that have a label. All are empty where the kinds
    /// differ.
    pub(super) fn known_classes(&self, truth: &Truth) -> (Vec<u32>, Vec<u32>, Vec<f64>) {
        let (Truth::Classes(classes), Prediction::Classes { labels, probabilities, said }) = (truth, self) else {
            return Default::default();
        };
        let (mut known, mut predicted, mut rows) = (Vec::new(), Vec::new(), Vec::new());
        for (i, (class, row)) in classes.iter().zip(probabilities.chunks_exact(labels.len().max(1))).enumerate() {
            if truth.known(i) {
                known.push(*class);
                predicted.push(said.of(row));
                rows.extend_from_slice(row);
            }
        }
        (known, predicted, rows)
    }
}

impl Said {
    /// The class of these probabilities.
    pub fn of(self, row: &[f64]) -> u32 {
        match (self, row) {
            (Said::Above(least), [_, positive]) => u32::from(*positive >= least),
            (Said::Middle, _) => {
                let mut before = 0.0;
                let middle = row.iter().position(|p| {
                    before += p;
                    before >= 0.5
                });
                middle.unwrap_or(row.len().saturating_sub(1)) as u32
            }
            (Said::Likeliest | Said::Above(_), _) => largest(row) as u32,
        }
    }
}
