//! The networks of the workloads of images.

use crate::workload::{Norm, Work, Workload};
use polytask_graph::{Activation, GraphBuilder, LossKind, NodeId, Pooling, Window};

/// Classes of a task.
pub const CLASSES: usize = 10;

/// Adds the network of a workload on images of this shape, its trunk's layers named `trunk...` and its heads' `heads.TASK.LAYER`.
pub(crate) fn add(g: &mut GraphBuilder, work: Work, image: [usize; 3]) {
    let x = g.image_input("x", image);
    let (h, hidden): (_, &[usize]) = match work.workload {
        Workload::Resnet8 => (resnet8(g, x, 16, work.norm), &[]),
        _ => (lenet(g, x), &[50]),
    };
    for task in 0..work.tasks {
        let mut z = h;
        for (i, width) in hidden.iter().enumerate() {
            z = g.named(format!("heads.{task}.{i}")).dense(z, *width, Activation::Relu);
        }
        z = g.named(format!("heads.{task}.{}", hidden.len())).dense(z, CLASSES, Activation::Linear);
        g.loss(&task.to_string(), z, LossKind::CrossEntropy);
    }
}

/// LeNet as Sener and Koltun (2018) have it.
fn lenet(g: &mut GraphBuilder, x: NodeId) -> NodeId {
    let mut h = x;
    for (i, channels) in [10, 20].into_iter().enumerate() {
        h = g.named(format!("trunk.{i}")).conv2d(h, channels, Window::square(5), Activation::Relu);
        h = g.named(format!("trunk.{i}.pool")).pool(h, Pooling::Max, Window::square(2).stride(2));
    }
    g.named("trunk.2").dense(h, 50, Activation::Relu)
}

/// Three groups of one block (He et al. 2016, section 4.2, with the shortcuts of option B).
fn resnet8(g: &mut GraphBuilder, x: NodeId, width: usize, norm: Norm) -> NodeId {
    let conv = |g: &mut GraphBuilder, name: &str, x, channels, window: Window, activation| {
        let h = g.named(name).plain_conv2d(x, channels, window);
        g.named(format!("{name}.norm"));
        match norm {
            Norm::Batch => g.batch_norm(h, activation),
            Norm::Group => g.group_norm(h, 8, activation),
        }
    };
    let three = Window::square(3).same();
    let mut h = conv(g, "trunk.0", x, width, three, Activation::Relu);
    for (group, stride) in [1, 2, 2].into_iter().enumerate() {
        let (name, channels) = (format!("trunk.{}", group + 1), width << group);
        let first = conv(g, &format!("{name}.first"), h, channels, three.stride(stride), Activation::Relu);
        let second = conv(g, &format!("{name}.second"), first, channels, three, Activation::Linear);
        let shortcut = match stride {
            1 => h,
            _ => {
                let window = Window::square(1).stride(stride);
                conv(g, &format!("{name}.shortcut"), h, channels, window, Activation::Linear)
            }
        };
        let sum = g.named(format!("{name}.sum")).add(&[shortcut, second]);
        h = g.named(name).activation(sum, Activation::Relu);
    }
    g.named("trunk.pool").global_pool(h)
}
