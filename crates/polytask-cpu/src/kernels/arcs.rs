//! What each element of a product's parent chooses among its own elements of the product, and the label of the choice.

use super::loss::{LossKernel, Read, cross_entropy, softmax_slope};
use super::{Lane, parents, read_write};
use polytask_exec::{Labels, Target};

/// Of every element `ln(sum_j exp(s_j)) - s_choice + ln(sum_l exp(z_l)) - z_label`.
pub(super) struct Arcs {
    /// `[1]` on the product.
    pub scores: Read,
    /// `[classes]` on its parent.
    pub labels: Read,
}

/// The place of what an element chose, and its label.
fn classes<'a>(target: &Target<'a>) -> impl Fn(u32) -> [u32; 2] + use<'a> {
    let Labels::Class(classes) = target.labels else { unreachable!("the runner has checked the kinds of its labels") };
    move |at| [classes[2 * at as usize], classes[2 * at as usize + 1]]
}

impl LossKernel for Arcs {
    fn forward(&self, lane: &Lane<'_>, target: &Target<'_>) -> f64 {
        let (scores, labels) = (self.scores.slot, self.labels.slot);
        let (s, z) = (&lane.arena[lane.range(scores)], &lane.arena[lane.range(labels)]);
        let choices = parents(&lane.elements(scores).offsets).zip(z.chunks_exact(labels.width));
        let label = classes(target);
        let of = |((own, z), &at): ((std::ops::Range<usize>, &[f32]), &u32)| match target.weights[at as usize] {
            0.0 => 0.0,
            weight => {
                let [choice, label] = label(at);
                f64::from(weight) * (cross_entropy(&s[own], choice) + cross_entropy(z, label))
            }
        };
        choices.zip(&lane.elements(labels).sources).map(of).sum()
    }

    fn backward(&self, lane: &mut Lane<'_>, target: &Target<'_>, scale: f64) {
        let (sources, label) = (lane.elements(self.labels.slot).sources.as_slice(), classes(target));
        let offsets = lane.elements(self.scores.slot).offsets.as_slice();
        let width = self.labels.slot.width;
        for (part, read) in [&self.scores, &self.labels].into_iter().enumerate() {
            let Some(flow) = &read.flow else { continue };
            for run in &flow.runs {
                let places = [lane.range(read.slot), lane.copies(flow.into, run.to, 1)];
                let (z, dz) = read_write(lane.arena, places[0].clone(), places[1].clone());
                if !run.accumulate {
                    dz.fill(0.0);
                }
                for ((i, &at), choices) in sources.iter().enumerate().zip(parents(offsets)) {
                    let weight = (scale * f64::from(target.weights[at as usize])) as f32;
                    let own = if part == 0 { choices } else { i * width..(i + 1) * width };
                    if weight != 0.0 {
                        softmax_slope(&z[own.clone()], &mut dz[own], label(at)[part] as usize, weight);
                    }
                }
            }
        }
    }
}
