//! From a data set to the places of an input in a lane: element after element, or in blocks of sixteen of them, of which
//! a last one is filled up with nothing.

use crate::kernels::vectorized;
use crate::wiring::{SIDE, Slot};
use polytask_exec::{Bytes, Gather};

/// Values as they are.
pub(crate) fn values<T: Copy + Default>(all: &[T], elements: &[u32], slot: Slot, into: &mut [T]) {
    let width = slot.width;
    let element = |at: u32| &all[at as usize * width..(at as usize + 1) * width];
    if !slot.blocked {
        elements.iter().zip(into.chunks_exact_mut(width)).for_each(|(at, into)| into.copy_from_slice(element(*at)));
        return;
    }
    for (elements, block) in elements.chunks(SIDE).zip(into.chunks_exact_mut(SIDE * width)) {
        if elements.len() < SIDE {
            block.fill(T::default());
        }
        turn(elements, element, block, |value| value);
    }
}

/// Elements side by side in a block: a few features at a time, so that the lines they go to stay in the nearest cache.
fn turn<'a, F: Copy + 'a, T>(
    elements: &[u32],
    element: impl Fn(u32) -> &'a [F],
    block: &mut [T],
    convert: impl Fn(F) -> T,
) {
    for (i, block) in block.chunks_mut(SIDE * SIDE).enumerate() {
        for (l, at) in elements.iter().enumerate() {
            let own = &element(*at)[i * SIDE..];
            block.iter_mut().skip(l).step_by(SIDE).zip(own).for_each(|(into, from)| *into = convert(*from));
        }
    }
}

/// Bytes as the numbers they stand for.
pub(crate) fn bytes(bytes: Bytes<'_>, elements: &[u32], slot: Slot, into: &mut [f32]) {
    let width = slot.width;
    let element = |at: u32| &bytes.values[at as usize * width..(at as usize + 1) * width];
    if !slot.blocked {
        elements.iter().zip(into.chunks_exact_mut(width)).for_each(|(at, into)| bytes.convert(element(*at), into));
        return;
    }
    let channels = bytes.scale.len();
    for (elements, block) in elements.chunks(SIDE).zip(into.chunks_exact_mut(SIDE * width)) {
        if elements.len() < SIDE {
            block.fill(0.0);
        }
        turn(elements, element, block, f32::from);
        // What fills up the last block becomes a number as well, and is read by nobody.
        vectorized(
            #[inline(always)]
            || {
                for (i, pixel) in block.as_chunks_mut::<SIDE>().0.iter_mut().enumerate() {
                    let (scale, shift) = (bytes.scale[i % channels], bytes.shift[i % channels]);
                    pixel.iter_mut().for_each(|x| *x = *x * scale + shift);
                }
            },
        );
    }
}

/// What is made as it is asked for; `scratch` has room for a block, once there was one.
pub(crate) fn made(maker: &dyn Gather, elements: &[u32], slot: Slot, into: &mut [f32], scratch: &mut Vec<f32>) {
    let width = slot.width;
    if !slot.blocked {
        return maker.gather(elements, into);
    }
    scratch.resize(SIDE * width, 0.0);
    for (elements, block) in elements.chunks(SIDE).zip(into.chunks_exact_mut(SIDE * width)) {
        let made = &mut scratch[..elements.len() * width];
        maker.gather(elements, made);
        if elements.len() < SIDE {
            block.fill(0.0);
        }
        let rows: [u32; SIDE] = std::array::from_fn(|l| l as u32);
        let element = |at: u32| &made[at as usize * width..(at as usize + 1) * width];
        turn(&rows[..elements.len()], element, block, |value| value);
    }
}
