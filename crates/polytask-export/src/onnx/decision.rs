//! Probabilities as held-out rows set them right, and what is said of them.

use super::emit::Emit;
use super::writer::Setting;
use crate::array::Type;
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
        // As near to 0 as an average of models is taken to be.
        let [one, least] = [1.0, 1e-7].map(|value| self.w.doubles(&[], &[value]));
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
        let (least, scale) = (self.w.doubles(&[], &[1e-7]), self.w.doubles(&[], &[decision.scale]));
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

    /// The shares that an event has not come to at some times, and the area under them, from the hazards of the intervals
    /// that end there.
    pub(super) fn of_hazards(&mut self, hazards: &str, times: &[f64]) -> (String, String) {
        let one = self.w.float(1.0);
        let stays = self.w.op("Sub", &[&one, hazards]);
        let mut alive: Vec<String> = Vec::with_capacity(times.len());
        for k in 0..times.len() as i64 {
            let own = self.w.slice(&stays, -1, k, k + 1);
            let left = alive.last().map(|before| self.w.op("Mul", &[before, &own]));
            alive.push(left.unwrap_or(own));
        }
        // The share at a time is an end of the intervals on both sides of it; the first begins with all.
        let begins = |k: usize| if k == 0 { 0.0 } else { times[k - 1] };
        let share = |k: usize| 0.5 * (times.get(k + 1).unwrap_or(&times[k]) - begins(k));
        let mut area = self.w.float((0.5 * times.first().copied().unwrap_or_default()) as f32);
        for (k, alive) in alive.iter().enumerate() {
            let width = self.w.float(share(k) as f32);
            let own = self.w.op("Mul", &[alive, &width]);
            area = self.w.op("Add", &[&area, &own]);
        }
        (self.w.concat(&alive, -1), area)
    }

    /// Probabilities of classes in an order, and the place of the one in their middle, from the probabilities of being above
    /// each but the last.
    pub(super) fn of_steps(&mut self, above: &str, classes: usize) -> (String, String) {
        let (one, half) = (self.w.float(1.0), self.w.float(0.5));
        let mut steps: Vec<String> = Vec::with_capacity(classes - 1);
        for step in 0..classes as i64 - 1 {
            let own = self.w.slice(above, -1, step, step + 1);
            // Such probabilities fall along the order.
            let least = steps.last().map(|before| self.w.op("Min", &[before, &own]));
            steps.push(least.unwrap_or(own));
        }
        let first = self.w.op("Sub", &[&one, &steps[0]]);
        let mut parts = vec![first];
        for pair in steps.windows(2) {
            parts.push(self.w.op("Sub", &[&pair[0], &pair[1]]));
        }
        parts.extend(steps.last().cloned());
        let all = self.w.concat(&steps, -1);
        let beyond = self.w.op("Greater", &[&all, &half]);
        let beyond = self.w.cast(&beyond, Type::Long);
        let axes = self.w.longs(&[-1]);
        let said = self.w.op_with("ReduceSum", &[&beyond, &axes], vec![("keepdims", Setting::Int(0))]);
        (self.w.concat(&parts, -1), said)
    }
}
