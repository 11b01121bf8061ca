//! What convolutions that halve images and convolutions that double them have in common: each needs both, one for its
//! value and the other for its gradient.
//!
//! A few images at a time are padded in scratch memory, where products read their patches.

use super::kernels;
use super::launch::Place;
use super::layout::Planner;
use super::products::{Factor, Finish, Matrix, PATCHED};
use crate::kernels::doubling_convolution::{Doubling, DoublingConvolution as DoublingShape};
use crate::kernels::elementwise::Activation;
use crate::kernels::im2col::Patches;
use crate::kernels::same_convolution::SameConvolution;

/// Some of many images.
#[derive(Clone, Copy)]
pub(crate) struct Images {
    pub first: usize,
    pub count: usize,
}

/// Images a few at a time, each of which needs `numbers` numbers of scratch memory.
pub(crate) fn few_at_a_time(images: usize, numbers: usize) -> impl Iterator<Item = Images> {
    let at_once = (PATCHED / numbers).clamp(1, images);
    (0..images).step_by(at_once).map(move |first| Images { first, count: at_once.min(images - first) })
}

impl Planner {
    /// The patches of images, which are padded in scratch memory.
    pub(crate) fn padded(
        &mut self,
        out: Place,
        x: Place,
        images: usize,
        side: usize,
        before: usize,
        patches: Patches,
    ) -> Factor {
        let Patches { side: whole, channels, .. } = patches;
        let count = images * patches.image();
        self.each(count, kernels::PadImages { out, x, count, side, channels, before, whole });
        Factor::patches(out, images, patches)
    }

    /// A kernel [taps, C, O] with its taps in reverse order and its channels exchanged.
    pub(crate) fn flip(&mut self, out: Place, kernel: Place, taps: usize, [channels, outputs]: [usize; 2]) {
        let count = taps * channels * outputs;
        self.each(count, kernels::FlipKernel { out, kernel, taps, channels, outputs });
    }

    /// A convolution with SAME padding.
    pub(crate) fn same_convolution(
        &mut self,
        y: Place,
        x: Place,
        images: usize,
        shape: SameConvolution,
        kernel: Place,
        accumulate: bool,
        finish: Finish,
    ) {
        let patches = shape.patches();
        let weights = Matrix::new(kernel, patches.size(), shape.outputs);
        for Images { first, count } in few_at_a_time(images, patches.image()) {
            self.with_scratch(count * patches.image(), |planner, scratch| {
                let x = x.after(first * shape.image());
                let read = planner.padded(scratch, x, count, shape.side, shape.before(), patches);
                planner.layer(y.after(first * shape.result()), read, weights, accumulate, finish);
            });
        }
    }

    /// Upsamples images and convolves them.
    pub(crate) fn double(
        &mut self,
        y: Place,
        x: Place,
        images: usize,
        shape: DoublingShape,
        kernel: Place,
        bias: Option<Place>,
        accumulate: bool,
    ) {
        let DoublingShape { side, outputs, .. } = shape;
        let (patches, wide) = (shape.patches(), 4 * outputs);
        self.with_scratch(shape.rearranged() + wide, |planner, rearranged| {
            planner.rearrange(rearranged, kernel, shape);
            let weights = Matrix::new(rearranged, patches.size(), wide);
            let finish = bias.map_or(Finish::NONE, |bias| {
                let four = rearranged.after(shape.rearranged());
                planner.each(wide, kernels::SameRows { out: four, row: bias, rows: 4, columns: outputs });
                Finish::layer(four, Activation::None)
            });
            for Images { first, count } in few_at_a_time(images, shape.result().max(patches.image())) {
                let (padded, numbers) = (count * patches.image(), count * shape.result());
                planner.with_scratch(padded + numbers, |planner, scratch| {
                    let x = x.after(first * shape.image());
                    let read = planner.padded(scratch, x, count, side, shape.radius(), patches);
                    let product = scratch.after(padded);
                    planner.layer(product, read, weights, false, finish);
                    let y = y.after(first * shape.result());
                    planner.swap_axes(y, product, numbers, [side, 2, 2 * outputs], accumulate);
                });
            }
        });
    }

    /// The rearranged kernel of a convolution of upsampled images.
    pub(crate) fn rearrange(&mut self, out: Place, kernel: Place, shape: DoublingShape) {
        let DoublingShape { channels, outputs, kernel: size, doubling, .. } = shape;
        let spread = doubling == Doubling::Spread;
        self.each(
            shape.rearranged(),
            kernels::RearrangeKernel { out, kernel, count: shape.rearranged(), size, channels, outputs, spread },
        );
    }
}
