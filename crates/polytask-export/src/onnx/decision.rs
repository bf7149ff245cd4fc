//! Probabilities as held-out rows set them right, and what is said of them.

use super::emit::Emit;
use super::proto::Type;
use super::writer::Setting;
use polytask::tasks::Decision;

impl Emit<'_> {
    /// Logits as they are calibrated.
    pub(super) fn calibrated(&mut self, raw: &str, decision: &Decision) -> String {
        if decision.scale == 1.0 && decision.shift == 0.0 {
            return raw.to_owned();
        }
        let (scale, shift) = (self.w.float(decision.scale as f32), self.w.float(decision.shift as f32));
        let scaled = self.w.op("Mul", &[raw, &scale]);
        self.w.op("Add", &[&scaled, &shift])
    }

    /// Probabilities, each for itself, in double precision, as they are calibrated.
    pub(super) fn calibrated_odds(&mut self, probabilities: &str, decision: &Decision) -> String {
        if decision.scale == 1.0 && decision.shift == 0.0 {
            return probabilities.to_owned();
        }
        let [one, least] = [1.0, 1e-15].map(|value| self.w.doubles(&[], &[value]));
        let other = self.w.op("Sub", &[&one, probabilities]);
        let [there, not] = [probabilities, other.as_str()].map(|p| {
            let p = self.w.op("Max", &[p, &least]);
            self.w.op("Log", &[&p])
        });
        let logit = self.w.op("Sub", &[&there, &not]);
        let (scale, shift) = (self.w.doubles(&[], &[decision.scale]), self.w.doubles(&[], &[decision.shift]));
        let scaled = self.w.op("Mul", &[&logit, &scale]);
        let moved = self.w.op("Add", &[&scaled, &shift]);
        self.w.op("Sigmoid", &[&moved])
    }

    /// Probabilities of classes, in double precision, as they are calibrated.
    pub(super) fn calibrated_shares(&mut self, probabilities: &str, decision: &Decision) -> String {
        if decision.scale == 1.0 {
            return probabilities.to_owned();
        }
        let (least, scale) = (self.w.doubles(&[], &[1e-15]), self.w.doubles(&[], &[decision.scale]));
        let p = self.w.op("Max", &[probabilities, &least]);
        let logits = self.w.op("Log", &[&p]);
        let scaled = self.w.op("Mul", &[&logits, &scale]);
        self.w.op_with("Softmax", &[&scaled], vec![("axis", Setting::Int(-1))])
    }

    /// The place of the class that is said of two, from their probabilities `[.., 2]`; none where the likeliest is.
    pub(super) fn above_threshold(&mut self, probabilities: &str, decision: &Decision) -> Option<String> {
        let least = self.w.float(*decision.thresholds.first()? as f32);
        let positive = self.w.slice(probabilities, -1, 1, 2);
        let positive = self.w.squeeze(&positive, &[-1]);
        let there = self.w.op("GreaterOrEqual", &[&positive, &least]);
        Some(self.w.cast(&there, Type::Long))
    }

    /// Which labels are said, from their probabilities `[.., labels]`.
    pub(super) fn said_labels(&mut self, probabilities: &str, labels: usize, decision: &Decision) -> String {
        let least: Vec<f32> = (0..labels).map(|label| decision.threshold(label) as f32).collect();
        let least = match decision.thresholds.is_empty() {
            true => self.w.float(0.5),
            false => self.w.floats(&[labels], &least),
        };
        self.w.op("GreaterOrEqual", &[probabilities, &least])
    }
}
