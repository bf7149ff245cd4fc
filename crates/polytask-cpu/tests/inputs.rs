//! Inputs in every form give the same numbers, whether they lie element after element or in blocks.

#![allow(clippy::unwrap_used, reason = "the graphs of a test are right")]

use polytask_cpu::*;
use polytask_graph::*;

const SHAPE: [usize; 3] = [5, 4, 3];
const WIDTH: usize = 60;
const ROWS: u32 = 50;

/// A convolution reads images in blocks, a dense layer row after row.
fn graph(convolution: bool) -> Graph {
    let mut g = GraphBuilder::new();
    let x = g.image_input("image", SHAPE);
    let h = match convolution {
        true => g.conv2d(x, 4, Window::square(3), Activation::Tanh),
        false => g.dense(x, 7, Activation::Tanh),
    };
    let y = g.dense(h, 2, Activation::Linear);
    g.loss("y", y, LossKind::Mse);
    g.finish().unwrap()
}

#[derive(Debug)]
struct Twice<'a>(&'a [f32]);

impl Gather for Twice<'_> {
    fn gather(&self, rows: &[u32], into: &mut [f32]) {
        assert_eq!(into.len(), rows.len() * WIDTH);
        for (row, into) in rows.iter().zip(into.chunks_exact_mut(WIDTH)) {
            into.copy_from_slice(&self.0[*row as usize * WIDTH..][..WIDTH]);
        }
    }
}

#[test]
fn bytes_and_made_rows_are_what_they_stand_for() {
    let bytes: Vec<u8> = (0..ROWS * WIDTH as u32).map(|i| (i * 37 % 251) as u8).collect();
    let (scale, shift) = ([0.01f32, 0.02, 0.005], [-1.0f32, 0.5, 0.25]);
    let real: Vec<f32> = bytes.iter().enumerate().map(|(i, b)| f32::from(*b) * scale[i % 3] + shift[i % 3]).collect();
    let forms = [
        Numbers::Real(&real),
        Numbers::Bytes(Bytes { values: &bytes, scale: &scale, shift: &shift }),
        Numbers::Made(&Twice(&real)),
    ];
    // Neither the first rows nor a multiple of a block.
    let rows: Vec<u32> = (0..ROWS).rev().filter(|row| row % 7 != 3).collect();
    for convolution in [true, false] {
        let graph = graph(convolution);
        let parameters = Parameters::init(&graph, 3);
        let predictions = forms.map(|form| {
            let plan = Plan::new(&graph, rows.len(), Mode::Predict, &Groups::merged(&graph));
            let mut runner = Runner::new(plan, parameters.clone());
            runner.predict(&Batch { inputs: &[form], targets: &[], offsets: &[], rows: &rows })
        });
        assert!(predictions[0][0].iter().any(|v| *v != predictions[0][0][0]), "there is something to see");
        assert_eq!(predictions[1], predictions[0]);
        assert_eq!(predictions[2], predictions[0]);
    }
}

#[test]
fn one_channel_is_converted_as_many_are() {
    let bytes: Vec<u8> = (0..=255).collect();
    let convert = |scale: &[f32], shift: &[f32]| {
        let mut into = vec![0.0; 256];
        Bytes { values: &[], scale, shift }.convert(&bytes, &mut into);
        into
    };
    assert_eq!(convert(&[0.3], &[-2.0]), convert(&[0.3, 0.3], &[-2.0, -2.0]));
    assert_eq!(convert(&[0.5], &[1.0])[7], 4.5);
}
