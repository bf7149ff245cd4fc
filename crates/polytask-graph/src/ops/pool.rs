//! Pooling over windows.

use super::{Layout, Operation, Site, parameters};
use crate::example::Example;
use crate::{Pooling, Window};
use serde::{Deserialize, Serialize};

/// [`Op::Pool`](crate::Op::Pool).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pool {
    /// Which.
    pub pooling: Pooling,
    /// Where it reads.
    pub window: Window,
}

impl Operation for Pool {
    parameters!([], matrices []);

    fn label(&self) -> &str {
        "pool"
    }

    fn check(&self, site: &Site<'_>) -> Result<(), String> {
        let image = site.image()?;
        let ([y, x], [height, width, channels]) = (site.places(&self.window, image)?, image);
        // No weights bound it: one that reaches far over the image would only take time.
        let [down, across] = self.window.size;
        if down > 2 * height + 1 || across > 2 * width + 1 {
            return Err(format!(
                "its window of {:?} is more than twice the image of {:?}",
                [down, across],
                [height, width]
            ));
        }
        site.gives(&[y, x, channels])
    }

    fn multiply_adds(&self, site: &Site<'_>) -> usize {
        self.window.size[0] * self.window.size[1] * site.shape.width()
    }

    fn layout(&self) -> Layout {
        Layout::Blocks
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::images(|g, x| g.pool(x, Pooling::Max, Window::square(2).stride(2))),
            Example::images(|g, x| g.pool(x, Pooling::Average, Window::square(2).stride(2))),
            Example::images(|g, x| g.pool(x, Pooling::Max, Window::square(3).stride(2).padding(1))),
            Example::images(|g, x| g.pool(x, Pooling::Average, Window::square(3).stride(2).padding(1))),
        ]
    }
}
